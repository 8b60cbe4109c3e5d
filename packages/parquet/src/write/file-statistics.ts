/** What a finished file says about its columns: for a log of files, and for readers who skip files by it. */
import type { Bounds, ColumnStatistics, StoredValue } from '../encode/bounds.js';
import type { Leaf } from '../schema/elements.js';
import type { ScalarType } from '../schema/field.js';
import { scalarValue, type ScalarValue } from '../values/stored-value.js';

/** Of a whole file. */
export interface ColumnSummary {
  /** Names from the root, `['add', 'path']`; those within lists and maps go through their inner groups. */
  readonly path: readonly string[];
  readonly type: ScalarType;
  /** Whether it lies in a list or a map, so that it has any number of entries a row. */
  readonly isRepeated: boolean;
  /** Entries without a value; of a struct that is null, each field has one. */
  readonly nullCount: number;
  /** NaNs: with any, the column has no bounds, for some readers take NaN as the greatest number. */
  readonly nanCount: number;
  /**
   * No value is below it: the least value, or where that is longer than 64 bytes its start (`isMinExact: false`). Absent where all
   * are null, where one is NaN, and where there is no short bound. -0 where the least is a zero. The text of a json column.
   */
  readonly min?: ScalarValue;
  /** No value is above it: the greatest value, or where that is longer a short value above it (`isMaxExact: false`). */
  readonly max?: ScalarValue;
  readonly isMinExact: boolean;
  readonly isMaxExact: boolean;
}

export interface ParquetFile {
  readonly rowCount: number;
  /** Size of the file. */
  readonly bytes: number;
  readonly rowGroupCount: number;
  /** One for each leaf of the schema, in order. */
  readonly columns: readonly ColumnSummary[];
}

/** Statistics of one leaf over the row groups so far. */
export interface LeafStatistics {
  nulls: number;
  nans: number;
  bounds: Bounds | undefined;
  /** A row group had values and no bounds: neither has the file. */
  isUnbounded: boolean;
}

export function noStatistics(): LeafStatistics {
  return { nulls: 0, nans: 0, bounds: undefined, isUnbounded: false };
}

export function addStatistics(total: LeafStatistics, part: ColumnStatistics, values: number): void {
  total.nulls += part.nulls;
  total.nans += part.nans;
  if (part.bounds === undefined) total.isUnbounded ||= values > 0;
  else total.bounds = total.bounds === undefined ? part.bounds : union(total.bounds, part.bounds);
}

function union(left: Bounds, right: Bounds): Bounds {
  const least = compareStored(right.min, left.min) < 0 ? right : left;
  const greatest = compareStored(right.max, left.max) > 0 ? right : left;
  return {
    min: least.min,
    isMinExact: least.isMinExact,
    max: greatest.max,
    isMaxExact: greatest.isMaxExact,
  };
}

/** In the order that Parquet gives to values of one type; both must be of one. NaN is equal to all. */
export function compareStored(left: StoredValue, right: StoredValue): number {
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.compare(left, right);
  if (left < right) return -1;
  return left > right ? 1 : 0;
}

export function summaryOf({ path, type, maxRepetition }: Leaf, statistics: LeafStatistics): ColumnSummary {
  const bounds = statistics.isUnbounded ? undefined : statistics.bounds;
  return {
    path,
    type,
    isRepeated: maxRepetition > 0,
    nullCount: statistics.nulls,
    nanCount: statistics.nans,
    ...(bounds === undefined
      ? {}
      : { min: scalarValue(bounds.min, type), max: scalarValue(bounds.max, type) }),
    isMinExact: bounds?.isMinExact ?? false,
    isMaxExact: bounds?.isMaxExact ?? false,
  };
}
