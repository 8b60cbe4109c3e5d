/** What the footer says of each row group. */
import type { ColumnMetaData, RowGroup, Statistics } from 'hyparquet';
import type { StoredValue } from '../encode/bounds.js';
import { bigintOf } from '../values/decimal.js';
import { malformed, type Range } from './byte-source.js';
import type { FileLeaf } from './file-tree.js';
import type { Footer } from './footer.js';

export interface RowGroupInfo {
  readonly index: number;
  /** The position of its first row in the file. */
  readonly firstRow: number;
  readonly rowCount: number;
  /** Its columns in the file. */
  readonly bytes: number;
}

/** Absent: not known. */
export interface ChunkStatistics {
  readonly nullCount?: number;
  readonly entries: number;
  /** No value is below it, NaN aside. */
  readonly min?: StoredValue;
  readonly max?: StoredValue;
}

/** @throws EOS_SOURCE_FORMAT where they do not add up to the file */
export function rowGroupInfos({ metadata }: Footer): readonly RowGroupInfo[] {
  let firstRow = 0;
  const infos = metadata.row_groups.map((group, index) => {
    const rowCount = Number(group.num_rows);
    const bytes = group.columns.reduce(
      (sum, { meta_data: chunk }) => sum + Number(chunk?.total_compressed_size ?? 0),
      0,
    );
    const info = { index, firstRow, rowCount, bytes };
    firstRow += rowCount;
    return info;
  });
  if (firstRow === Number(metadata.num_rows)) return infos;
  throw malformed(`its row groups have ${firstRow} rows, not ${metadata.num_rows}`);
}

/** @throws EOS_SOURCE_FORMAT where the row group has no such column, keeps it in another file, or has too many or too few values */
export function chunkOf(group: RowGroup | undefined, leaf: FileLeaf): ColumnMetaData {
  const column = group?.columns[leaf.index];
  if (column?.meta_data === undefined || column.file_path !== undefined) {
    throw malformed(`column ${JSON.stringify(leaf.path.join('.'))} is not in every row group`);
  }
  const entries = Number(column.meta_data.num_values);
  const rows = Number(group?.num_rows);
  // Each row has an entry; in a list or map it may have more.
  if (entries >= rows && (entries === rows || leaf.maxRepetition > 0)) return column.meta_data;
  throw malformed(`column ${JSON.stringify(leaf.path.join('.'))} has ${entries} values for ${rows} rows`);
}

export function chunkRange(chunk: ColumnMetaData): Range {
  const data = Number(chunk.data_page_offset);
  const dictionary = Number(chunk.dictionary_page_offset ?? 0);
  const start = dictionary > 0 ? Math.min(dictionary, data) : data;
  return { start, end: start + Number(chunk.total_compressed_size) };
}

export function chunkStatistics(footer: Footer, rowGroup: number, leaf: FileLeaf): ChunkStatistics {
  const chunk = chunkOf(footer.metadata.row_groups[rowGroup], leaf);
  const { statistics } = chunk;
  const entries = Number(chunk.num_values);
  if (statistics === undefined) return { entries };
  const nulls = statistics.null_count;
  return {
    entries,
    ...(nulls === undefined ? {} : { nullCount: Number(nulls) }),
    ...boundsOf(footer, rowGroup, leaf, statistics),
  };
}

/** Only the newer bounds: the order of the older ones is not known. */
function boundsOf(
  footer: Footer,
  rowGroup: number,
  { index, decoder, element }: FileLeaf,
  statistics: Statistics,
): { readonly min?: StoredValue; readonly max?: StoredValue } {
  if (decoder.type.kind === 'decimal') {
    const { min, max } = footer.decimalBounds(rowGroup, index);
    // Integers have their lowest byte first, byte arrays their highest.
    const isInteger = element.type === 'INT32' || element.type === 'INT64';
    const stored = (bytes: Uint8Array) => bigintOf(isInteger ? bytes.slice().reverse() : bytes);
    return {
      ...(min === undefined ? {} : { min: stored(min) }),
      ...(max === undefined ? {} : { max: stored(max) }),
    };
  }
  const min = storedValue(statistics.min_value);
  const max = storedValue(statistics.max_value);
  return { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) };
}

/** A NaN says nothing. Text and dates are not made: the footer is read with its bounds as they are stored. */
function storedValue(value: Statistics['min_value']): StoredValue | undefined {
  return value instanceof Date || typeof value === 'string' || Number.isNaN(value) ? undefined : value;
}
