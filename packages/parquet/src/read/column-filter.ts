/** Which row groups may hold the rows that a reader looks for: by their bounds, and by Bloom filters. Never one too few. */
import { EosError, isEosError } from '@eos/core';
import { readBloomFilter } from 'hyparquet/src/bloom.js';
import type { ByteArrayValues } from '../columns/byte-arrays.js';
import { typedValues, type ColumnValues } from '../columns/value-adders.js';
import { eachPlainValue, mayContain } from '../encode/bloom-filter.js';
import type { StoredValue } from '../encode/bounds.js';
import { Xxhash64 } from '../encode/xxhash64.js';
import type { ScalarType } from '../schema/field.js';
import { bigintOf } from '../values/decimal.js';
import { compareStored } from '../write/file-statistics.js';
import { malformed, readRange, type ByteSource } from './byte-source.js';
import type { FileLeaf } from './file-tree.js';
import type { Footer } from './footer.js';
import { chunkOf, chunkStatistics, type ChunkStatistics } from './row-groups.js';

/**
 * What a row must have in one column: one of several values, or a value in a range (its ends count as in it). Values are those of rows.
 * Null is no value and in no range, and neither is NaN. Values are compared as the file has them: a uuid that is kept as text is in lower case.
 */
export type ColumnFilter =
  | { readonly column: string; readonly in: readonly unknown[] }
  | { readonly column: string; readonly from?: unknown; readonly to?: unknown };

/** A filter made ready for the column's type. */
export interface PreparedFilter {
  readonly leaf: FileLeaf;
  /** Whether bounds leave it open that a row fits. */
  readonly fitsBounds: (statistics: ChunkStatistics) => boolean;
  /** The hashes to look for, in halves; undefined where a Bloom filter cannot help. */
  readonly hashes?: { readonly high: Float64Array; readonly low: Float64Array };
}

/** @throws EOS_CONFIG for a column that the file has not, or that lies in a list or a map */
export function prepareFilter(filter: ColumnFilter, leaves: readonly FileLeaf[]): PreparedFilter {
  const leaf = leaves.find(({ path }) => path.join('.') === filter.column);
  if (leaf === undefined || leaf.maxRepetition > 0) {
    throw new EosError('EOS_CONFIG', `the file has no single column ${JSON.stringify(filter.column)}`, {
      details: { column: filter.column },
    });
  }
  const { type, isOurs } = leaf.decoder;
  if (!('in' in filter)) {
    const from = filter.from === undefined ? undefined : stored([filter.from], type)?.values[0];
    const to = filter.to === undefined ? undefined : stored([filter.to], type)?.values[0];
    return { leaf, fitsBounds: (statistics) => meetsRange(statistics, from, to) };
  }
  const wanted = stored(filter.in, type);
  // A value that the column's type cannot hold is for its reader to judge.
  if (wanted === undefined) return { leaf, fitsBounds: () => true };
  const isAnyIn = ({ min, max, ...counts }: ChunkStatistics) =>
    hasValues(counts) &&
    wanted.values.some(
      (value) =>
        (min === undefined || compareStored(value, min) >= 0) &&
        (max === undefined || compareStored(value, max) <= 0),
    );
  return isOurs
    ? { leaf, fitsBounds: isAnyIn, hashes: hashesOf(wanted.columns) }
    : { leaf, fitsBounds: isAnyIn };
}

function meetsRange({ min, max, ...counts }: ChunkStatistics, from?: StoredValue, to?: StoredValue): boolean {
  if (!hasValues(counts)) return false;
  if (from !== undefined && max !== undefined && compareStored(max, from) < 0) return false;
  return to === undefined || min === undefined || compareStored(min, to) <= 0;
}

function hasValues({ nullCount, entries }: Pick<ChunkStatistics, 'nullCount' | 'entries'>): boolean {
  return nullCount === undefined || nullCount < entries;
}

/** Values as the file stores them; undefined where one does not fit the type. */
function stored(
  values: readonly unknown[],
  type: ScalarType,
): { readonly values: readonly StoredValue[]; readonly columns: readonly ColumnValues[] } | undefined {
  const { values: column, add } = typedValues(type);
  try {
    for (const value of values) {
      if (value === null || value === undefined || Number.isNaN(value)) continue;
      add(value);
      // Both zeros are the same value, and have two hashes.
      if (value === 0) add(-value);
    }
  } catch (error) {
    if (isEosError(error, 'EOS_ROW')) return undefined;
    throw error;
  }
  return { values: storedValues(column, type), columns: [column] };
}

function storedValues(column: ColumnValues, type: ScalarType): readonly StoredValue[] {
  switch (column.physical) {
    case 'BOOLEAN':
      return Array.from(column.data.subarray(0, column.count), (bit) => bit === 1);
    case 'FIXED_LEN_BYTE_ARRAY':
      return Array.from({ length: column.count }, (_, at) => {
        const bytes = column.data.subarray(at * column.width, (at + 1) * column.width);
        return type.kind === 'decimal' ? bigintOf(bytes) : bytes;
      });
    case 'BYTE_ARRAY':
      return entriesOf(column);
    case 'INT64':
      return Array.from(column.data.subarray(0, column.count));
    default:
      return Array.from(column.data.subarray(0, column.count));
  }
}

/** A dictionary has each once. */
function entriesOf(column: ByteArrayValues): readonly Uint8Array[] {
  return Array.from({ length: column.entries }, (_, at) => column.entry(at));
}

function hashesOf(columns: readonly ColumnValues[]): {
  readonly high: Float64Array;
  readonly low: Float64Array;
} {
  const [high, low]: [number[], number[]] = [[], []];
  const hash = new Xxhash64();
  for (const column of columns) {
    eachPlainValue(column, (bytes, start, end) => {
      hash.hash(bytes, start, end);
      high.push(hash.high);
      low.push(hash.low);
    });
  }
  return { high: Float64Array.from(high), low: Float64Array.from(low) };
}

/** False only where no row of the row group has what all filters ask for. */
export async function mayHold(
  source: ByteSource,
  footer: Footer,
  rowGroup: number,
  filters: readonly PreparedFilter[],
): Promise<boolean> {
  const fits = filters.every(({ leaf, fitsBounds }) => fitsBounds(chunkStatistics(footer, rowGroup, leaf)));
  if (!fits) return false;
  for (const { leaf, hashes } of filters) {
    if (hashes === undefined) continue;
    const blocks = await readFilter(source, footer, rowGroup, leaf);
    if (blocks === undefined) continue;
    if (!hashes.high.some((high, at) => mayContain(blocks, high, hashes.low[at] ?? 0))) return false;
  }
  return true;
}

/** A filter whose length is not in the footer is left alone. */
async function readFilter(
  source: ByteSource,
  footer: Footer,
  rowGroup: number,
  leaf: FileLeaf,
): Promise<Uint32Array | undefined> {
  const { bloom_filter_offset: offset, bloom_filter_length: length } = chunkOf(
    footer.metadata.row_groups[rowGroup],
    leaf,
  );
  if (offset === undefined || length === undefined) return undefined;
  const start = Number(offset);
  const bytes = await readRange(source, { start, end: start + length });
  try {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return readBloomFilter({ view, offset: 0 })?.blocks;
  } catch (error) {
    throw malformed(`the Bloom filter of column ${JSON.stringify(leaf.path.join('.'))}`, error);
  }
}
