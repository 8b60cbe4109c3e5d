/** An open Parquet file. */
import { EosError, type Columns, type InferRow, type RowSchema } from '@eos/core';
import { parquetSchema } from 'hyparquet';
import type { ParquetField } from '../schema/field.js';
import { columnValues, setOwn } from './assembler.js';
import { malformed, readRanges, type ByteSource } from './byte-source.js';
import { readChunk, type LeafEntries } from './chunk-reader.js';
import { mayHold, prepareFilter, type ColumnFilter } from './column-filter.js';
import { fileTree, type FileLeaf, type FileNode, type FileTree } from './file-tree.js';
import { readFooter, type Footer } from './footer.js';
import { chunkOf, chunkRange, rowGroupInfos, type RowGroupInfo } from './row-groups.js';
import { schemaColumns, type SchemaColumn } from './row-schema-columns.js';

export interface ReadRowsOptions<Name extends string = string> {
  /** Columns to read; rows have no others. Default: all. */
  readonly columns?: readonly Name[];
  /** Row groups to read, by index, in this order. Default: all. See {@link ParquetFileReader.rowGroupsWith}. */
  readonly rowGroups?: readonly number[];
  /** The most rows of a batch. Default 1,024. */
  readonly batchRows?: number;
}

export interface RowBatch<Row> {
  /** The position in the file of the first row; the others follow it. */
  readonly firstRow: number;
  readonly rows: readonly Row[];
}

/**
 * A Parquet file, of this package or of any other writer. Nothing is kept open: what it reads, it reads by ranges.
 *
 * Memory: the footer; and while rows are read, the chosen columns of one row group, as bytes and as values.
 */
export interface ParquetFileReader {
  readonly rowCount: number;
  /** What the file has, as this package would write it. Physical oddities are told by value: unsigned 64-bit integers are decimals. */
  readonly fields: readonly ParquetField[];
  /** Key-value metadata. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly rowGroups: readonly RowGroupInfo[];
  /**
   * Rows of an Eos schema. Columns are found by name; a nullable one that the file has not is null, others of the file are not read.
   * @throws EOS_SCHEMA for a column that is missing or of another type, EOS_SOURCE_FORMAT for a damaged file
   */
  rows<C extends Columns>(
    schema: RowSchema<C>,
    options?: ReadRowsOptions<Extract<keyof C, string>>,
  ): AsyncIterable<RowBatch<InferRow<RowSchema<C>>>>;
  /** Rows of any fields: a struct is an object, a list an array, a map a `Map`, and what is absent null. Else as `rows`. */
  records(options?: ReadRowsOptions): AsyncIterable<RowBatch<Readonly<Record<string, unknown>>>>;
  /**
   * The values of top-level columns in one row group, by name: one a row, null where there is none.
   * @throws EOS_CONFIG for a column or a row group that the file has not, EOS_SOURCE_FORMAT
   */
  columns(rowGroup: number, names?: readonly string[]): Promise<ReadonlyMap<string, ArrayLike<unknown>>>;
  /**
   * Indexes of the row groups in which a row may meet all filters, ascending. Bounds and Bloom filters rule row groups out; the rows
   * of those that are left need not fit, but none that fits is elsewhere.
   * @throws EOS_CONFIG for a column that the file has not
   */
  rowGroupsWith(filters: readonly ColumnFilter[]): Promise<readonly number[]>;
}

/**
 * Opens a file: reads its footer, with one request or two.
 * @throws EOS_SOURCE_FORMAT where it is no Parquet file
 */
export async function openParquet(source: ByteSource): Promise<ParquetFileReader> {
  const footer = await readFooter(source);
  return new OpenFile(source, footer, fileTree(parquetSchema(footer.metadata)));
}

const BATCH_ROWS = 1024;

class OpenFile implements ParquetFileReader {
  readonly rowGroups: readonly RowGroupInfo[];
  readonly metadata: ReadonlyMap<string, string>;

  constructor(
    private readonly source: ByteSource,
    private readonly footer: Footer,
    private readonly tree: FileTree,
  ) {
    this.rowGroups = rowGroupInfos(footer);
    const pairs = footer.metadata.key_value_metadata ?? [];
    this.metadata = new Map(pairs.map(({ key, value }) => [key, value ?? '']));
  }

  get rowCount(): number {
    return Number(this.footer.metadata.num_rows);
  }

  get fields(): readonly ParquetField[] {
    return this.tree.fields;
  }

  async *rows<C extends Columns>(
    schema: RowSchema<C>,
    options: ReadRowsOptions<Extract<keyof C, string>> = {},
  ): AsyncIterable<RowBatch<InferRow<RowSchema<C>>>> {
    const columns = schemaColumns(this.tree, schema, options.columns);
    for await (const { firstRow, rows } of this.batches(columns, options)) {
      // The columns have been held against the schema, and each value is made by the type of its column.
      yield { firstRow, rows: rows as readonly InferRow<RowSchema<C>>[] };
    }
  }

  records(options: ReadRowsOptions = {}): AsyncIterable<RowBatch<Readonly<Record<string, unknown>>>> {
    const names = options.columns ?? this.tree.fields.map(({ name }) => name);
    return this.batches(
      names.map((name) => ({ name, isInFile: true, isNullable: true })),
      options,
    );
  }

  async columns(
    rowGroup: number,
    names?: readonly string[],
  ): Promise<ReadonlyMap<string, ArrayLike<unknown>>> {
    const info = this.rowGroup(rowGroup);
    const nodes = (names ?? [...this.tree.nodes.keys()]).map((name) => ({ name, node: this.node(name) }));
    const leaves = nodes.flatMap(({ node }) => leavesOf(node));
    const group = this.footer.metadata.row_groups[rowGroup];
    const chunks = leaves.map((leaf) => chunkOf(group, leaf));
    const bytes = await readRanges(this.source, chunks.map(chunkRange));
    const entries = new Map<FileLeaf, LeafEntries>();
    leaves.forEach((leaf, at) => {
      const [chunk, chunkBytes] = [chunks[at], bytes[at]];
      if (chunk !== undefined && chunkBytes !== undefined)
        entries.set(leaf, readChunk(chunkBytes, chunk, leaf));
    });
    const entriesOf = (leaf: FileLeaf) => entries.get(leaf) ?? { values: [] };
    return new Map(
      nodes.map(({ name, node }) => {
        const values = columnValues(node, entriesOf, info.rowCount);
        if (values.length === info.rowCount) return [name, values];
        throw malformed(
          `column ${JSON.stringify(name)} has ${values.length} values for ${info.rowCount} rows`,
        );
      }),
    );
  }

  async rowGroupsWith(filters: readonly ColumnFilter[]): Promise<readonly number[]> {
    const prepared = filters.map((filter) => prepareFilter(filter, this.tree.leaves));
    const found: number[] = [];
    for (const { index } of this.rowGroups) {
      if (await mayHold(this.source, this.footer, index, prepared)) found.push(index);
    }
    return found;
  }

  private async *batches(
    columns: readonly SchemaColumn[],
    { rowGroups, batchRows = BATCH_ROWS }: Pick<ReadRowsOptions, 'rowGroups' | 'batchRows'>,
  ): AsyncIterable<RowBatch<Record<string, unknown>>> {
    if (!(Number.isInteger(batchRows) && batchRows > 0)) {
      throw new EosError('EOS_CONFIG', `batchRows must be a positive integer, not ${batchRows}`);
    }
    const names = columns.filter(({ isInFile }) => isInFile).map(({ name }) => name);
    for (const index of rowGroups ?? this.rowGroups.keys()) {
      const { firstRow, rowCount } = this.rowGroup(index);
      const values = await this.columns(index, names);
      for (let start = 0; start < rowCount; start += batchRows) {
        const end = Math.min(rowCount, start + batchRows);
        yield { firstRow: firstRow + start, rows: rowsOf(columns, values, start, end) };
      }
    }
  }

  private rowGroup(index: number): RowGroupInfo {
    const info = this.rowGroups[index];
    if (info !== undefined) return info;
    throw new EosError(
      'EOS_CONFIG',
      `the file has ${this.rowGroups.length} row groups, and no row group ${index}`,
    );
  }

  private node(name: string): FileNode {
    const node = this.tree.nodes.get(name);
    if (node !== undefined) return node;
    throw new EosError('EOS_CONFIG', `the file has no column ${JSON.stringify(name)}`, {
      details: { column: name },
    });
  }
}

function leavesOf(node: FileNode): readonly FileLeaf[] {
  switch (node.shape) {
    case 'leaf':
      return [node.leaf];
    case 'struct':
      return node.children.flatMap((child) => leavesOf(child.node));
    default:
      return node.children.flatMap(leavesOf);
  }
}

/** Column by column, so that each loop sees values of one type. */
function rowsOf(
  columns: readonly SchemaColumn[],
  values: ReadonlyMap<string, ArrayLike<unknown>>,
  start: number,
  end: number,
): Record<string, unknown>[] {
  const rows = Array.from({ length: end - start }, (): Record<string, unknown> => ({}));
  for (const { name, convert, isNullable } of columns) {
    const column = values.get(name);
    for (let at = start; at < end; at++) {
      const value = column?.[at] ?? null;
      if (value === null && !isNullable) throw nullIn(name, at);
      const row = rows[at - start];
      if (row !== undefined)
        setOwn(row, name, value === null || convert === undefined ? value : convert(value));
    }
  }
  return rows;
}

function nullIn(name: string, row: number): EosError {
  return new EosError('EOS_SCHEMA', `column ${JSON.stringify(name)} is null in row ${row} of a row group`, {
    details: { column: name },
  });
}
