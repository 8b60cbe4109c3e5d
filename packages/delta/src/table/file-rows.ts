/** Rows of one file of a table: those that are not deleted, and meet the conditions. */
import type { ParquetFileReader } from '@eos/parquet';
import type { RowSet } from '../deletion-vectors/row-set.js';
import type { FilePlace } from '../files/data-file.js';
import { openFile, type NamedFile, type OpenFile } from '../files/open-file.js';
import type { PartitionValues } from '../log/actions.js';
import type { PreparedCondition } from '../statistics/conditions.js';
import type { ReadColumn } from './read-columns.js';

/** Any row of a table: a struct is an object, a list an array, a map a `Map`. */
export type TableRow = Readonly<Record<string, unknown>>;

export interface RowsOf {
  /** Of the rows. */
  readonly columns: readonly ReadColumn[];
  readonly conditions: readonly PreparedCondition[];
  /** Columns of the conditions. */
  readonly conditioned: readonly ReadColumn[];
  readonly batchRows: number;
  /** Rows to read, and no others. */
  readonly only?: RowSet | undefined;
}

export interface ReadableFile extends NamedFile {
  readonly partitionValues: PartitionValues;
}

/** Batches, none of them empty. Memory: the chosen columns of one row group. */
export async function* fileRows(
  place: FilePlace,
  file: ReadableFile,
  wanted: RowsOf,
): AsyncGenerator<TableRow[]> {
  const open = await openFile(place, file);
  const { parquet } = open;
  const known = new Set(parquet.fields.map(({ name }) => name));
  const columns = unique([...wanted.columns, ...wanted.conditioned]);
  const inFile = columns.filter(({ physical, partition }) => partition === undefined && known.has(physical));
  for (const index of await rowGroupsOf(parquet, wanted, known)) {
    const group = parquet.rowGroups[index];
    if (group === undefined) continue;
    const names = inFile.map(({ physical }) => physical);
    const found =
      names.length === 0 ? new Map<string, ArrayLike<unknown>>() : await parquet.columns(index, names);
    const valueOf = new Map(
      columns.map((column) => [column.name, reader(column, found, file.partitionValues)]),
    );
    const kept = keptRows(open, group, wanted, valueOf);
    for (let start = 0; start < kept.length; start += wanted.batchRows)
      yield rowsOf(wanted.columns, valueOf, kept.slice(start, start + wanted.batchRows));
  }
}

async function rowGroupsOf(
  parquet: ParquetFileReader,
  { conditions, conditioned }: RowsOf,
  known: ReadonlySet<string>,
): Promise<readonly number[]> {
  const filters = conditions.flatMap(({ column, filter }) => {
    const physical = conditioned.find(
      ({ name, partition }) => name === column && partition === undefined,
    )?.physical;
    if (filter === undefined || physical === undefined || !known.has(physical)) return [];
    return [{ ...filter, column: physical }];
  });
  return await parquet.rowGroupsWith(filters);
}

type ReadValue = (row: number) => unknown;

/** A column that the file lacks is null in every row. */
function reader(
  { physical, partition, convert }: ReadColumn,
  found: ReadonlyMap<string, ArrayLike<unknown>>,
  partitionValues: PartitionValues,
): ReadValue {
  if (partition !== undefined) {
    const value = partition(partitionValues[physical]);
    return () => value;
  }
  const values = found.get(physical);
  if (values === undefined) return () => null;
  if (convert === undefined) return (row) => values[row] ?? null;
  return (row) => {
    const value = values[row] ?? null;
    return value === null ? null : convert(value);
  };
}

function keptRows(
  { deleted }: OpenFile,
  { firstRow, rowCount }: { readonly firstRow: number; readonly rowCount: number },
  { conditions, only }: RowsOf,
  valueOf: ReadonlyMap<string, ReadValue>,
): readonly number[] {
  const tests = conditions.map(({ column, holds }) => ({ holds, read: valueOf.get(column) ?? (() => null) }));
  const kept: number[] = [];
  for (let row = 0; row < rowCount; row++) {
    const position = firstRow + row;
    if (deleted?.has(position) === true || only?.has(position) === false) continue;
    if (tests.every(({ holds, read }) => holds(read(row)))) kept.push(row);
  }
  return kept;
}

function rowsOf(
  columns: readonly ReadColumn[],
  valueOf: ReadonlyMap<string, ReadValue>,
  kept: readonly number[],
): TableRow[] {
  const rows = kept.map((): Record<string, unknown> => ({}));
  for (const { name } of columns) {
    const read = valueOf.get(name) ?? (() => null);
    for (let at = 0; at < kept.length; at++) {
      const [row, index] = [rows[at], kept[at]];
      if (row !== undefined && index !== undefined) setOwn(row, name, read(index));
    }
  }
  return rows;
}

/** Also for a name that assignment would take for something else. */
function setOwn(row: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') row[name] = value;
  else Object.defineProperty(row, name, { value, writable: true, enumerable: true, configurable: true });
}

function unique(columns: readonly ReadColumn[]): readonly ReadColumn[] {
  return [...new Map(columns.map((column) => [column.name, column])).values()];
}
