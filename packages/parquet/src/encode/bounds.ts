/** Least and greatest values of a column, in the order that Parquet gives to its type, and never such that a reader would skip a row. */
import type { LeafData } from '../columns/leaf-column.js';
import type { ByteArrayValues } from '../columns/byte-arrays.js';
import type { FixedValues, Int64Values } from '../columns/numbers.js';
import type { ScalarType } from '../schema/field.js';
import { bigintOf } from '../values/decimal.js';

/** A value as it is stored; decimals in bytes as the number they are. */
export type StoredValue = boolean | number | bigint | Uint8Array;

export interface Bounds {
  readonly min: StoredValue;
  readonly max: StoredValue;
  /** False where a long value was cut, and the bound lies beyond it. */
  readonly isMinExact: boolean;
  readonly isMaxExact: boolean;
}

export interface ColumnStatistics {
  readonly nulls: number;
  /** NaN is in no order: a column that has any has no bounds, or a reader for which NaN is the greatest would skip it. */
  readonly nans: number;
  /** Absent without a value, with a NaN, and where no short bound exists. */
  readonly bounds?: Bounds;
}

/** Bounds of strings and byte strings are cut to so many bytes. */
export const BOUND_BYTES = 64;

export function statisticsOf({ leaf, values, nulls }: LeafData): ColumnStatistics {
  if (values.count === 0) return { nulls, nans: 0 };
  switch (values.physical) {
    case 'BOOLEAN': {
      const used = values.data.subarray(0, values.count);
      return withBounds(nulls, !used.includes(0), used.includes(1));
    }
    case 'INT32': {
      const { data, count } = values;
      let [min, max] = [data[0] ?? 0, data[0] ?? 0];
      for (let at = 1; at < count; at++) {
        const value = data[at] ?? 0;
        if (value < min) min = value;
        if (value > max) max = value;
      }
      return withBounds(nulls, min, max);
    }
    case 'INT64':
      return longStatistics(values, nulls);
    case 'FLOAT':
    case 'DOUBLE':
      return floatStatistics(values.data, values.count, nulls);
    case 'FIXED_LEN_BYTE_ARRAY':
      return fixedStatistics(values, leaf.type, nulls);
    case 'BYTE_ARRAY':
      return byteStatistics(values, leaf.type, nulls);
  }
}

function withBounds(nulls: number, min: StoredValue, max: StoredValue): ColumnStatistics {
  return { nulls, nans: 0, bounds: { min, max, isMinExact: true, isMaxExact: true } };
}

/** Compares halves, which makes no bigint for each value. */
function longStatistics({ words, data, count }: Int64Values, nulls: number): ColumnStatistics {
  let [least, greatest] = [0, 0];
  for (let at = 1; at < count; at++) {
    if (isLess(words, at, least)) least = at;
    else if (isLess(words, greatest, at)) greatest = at;
  }
  return withBounds(nulls, data[least] ?? 0n, data[greatest] ?? 0n);
}

function isLess(words: Int32Array, left: number, right: number): boolean {
  const leftHigh = words[2 * left + 1] ?? 0;
  const rightHigh = words[2 * right + 1] ?? 0;
  if (leftHigh !== rightHigh) return leftHigh < rightHigh;
  return (words[2 * left] ?? 0) >>> 0 < (words[2 * right] ?? 0) >>> 0;
}

function floatStatistics(data: Float32Array | Float64Array, count: number, nulls: number): ColumnStatistics {
  let [min, max, nans] = [Infinity, -Infinity, 0];
  for (let at = 0; at < count; at++) {
    const value = data[at] ?? 0;
    if (value !== value) nans += 1;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (nans > 0) return { nulls, nans };
  // The two zeros are equal, and which one a reader looks for is not known: the wider bound holds for both.
  return withBounds(nulls, min === 0 ? -0 : min, max === 0 ? 0 : max);
}

function fixedStatistics(values: FixedValues, type: ScalarType, nulls: number): ColumnStatistics {
  const { data, width, count } = values;
  const at = (index: number) => data.subarray(index * width, (index + 1) * width);
  // Two's complement is ordered as unsigned bytes are, but for the first bit.
  const signed = type.kind === 'decimal' ? 0x80 : 0;
  const compare = (left: number, right: number) => {
    const first = ((data[left * width] ?? 0) ^ signed) - ((data[right * width] ?? 0) ^ signed);
    return first !== 0 ? first : Buffer.compare(at(left), at(right));
  };
  let [least, greatest] = [0, 0];
  for (let index = 1; index < count; index++) {
    if (compare(index, least) < 0) least = index;
    else if (compare(index, greatest) > 0) greatest = index;
  }
  if (type.kind === 'decimal') return withBounds(nulls, bigintOf(at(least)), bigintOf(at(greatest)));
  return withBounds(nulls, at(least).slice(), at(greatest).slice());
}

/** By unsigned bytes, which for UTF-8 is the order of code points. A dictionary has every value once. */
function byteStatistics(values: ByteArrayValues, type: ScalarType, nulls: number): ColumnStatistics {
  const { bytes, ends, entries } = values;
  let [least, greatest] = [0, 0];
  for (let at = 1; at < entries; at++) {
    if (compareEntries(bytes, ends, at, least) < 0) least = at;
    else if (compareEntries(bytes, ends, at, greatest) > 0) greatest = at;
  }
  const [min, max] = [values.entry(least), values.entry(greatest)];
  // The start of a JSON document is none, and some readers parse bounds.
  const isWhole = type.kind === 'json' && type.isText !== true;
  const isText = type.kind !== 'bytes';
  const bounds = isWhole ? wholeBounds(min, max) : cutBounds(min, max, isText);
  return bounds === undefined ? { nulls, nans: 0 } : { nulls, nans: 0, bounds };
}

/** Without a view for each. */
function compareEntries(bytes: Uint8Array, ends: Int32Array, left: number, right: number): number {
  const leftStart = 4 + (left === 0 ? 0 : (ends[left - 1] ?? 0));
  const rightStart = 4 + (right === 0 ? 0 : (ends[right - 1] ?? 0));
  const leftLength = (ends[left] ?? 0) - leftStart;
  const rightLength = (ends[right] ?? 0) - rightStart;
  const length = Math.min(leftLength, rightLength);
  for (let at = 0; at < length; at++) {
    const difference = (bytes[leftStart + at] ?? 0) - (bytes[rightStart + at] ?? 0);
    if (difference !== 0) return difference;
  }
  return leftLength - rightLength;
}

function wholeBounds(min: Uint8Array, max: Uint8Array): Bounds | undefined {
  if (min.length > BOUND_BYTES || max.length > BOUND_BYTES) return undefined;
  return { min: Uint8Array.from(min), max: Uint8Array.from(max), isMinExact: true, isMaxExact: true };
}

function cutBounds(min: Uint8Array, max: Uint8Array, isText: boolean): Bounds | undefined {
  const least = cut(min, BOUND_BYTES, isText);
  const isMaxExact = max.length <= BOUND_BYTES;
  const greatest = isMaxExact ? Uint8Array.from(max) : successor(cut(max, BOUND_BYTES, isText), isText);
  if (greatest === undefined) return undefined;
  return { min: least, max: greatest, isMinExact: min.length <= BOUND_BYTES, isMaxExact };
}

/** A start of at most `length` bytes, whole code points where it is text. */
export function cut(bytes: Uint8Array, length: number, isText: boolean): Uint8Array {
  let end = Math.min(length, bytes.length);
  while (isText && end < bytes.length && end > 0 && isContinuation(bytes[end])) end -= 1;
  return Uint8Array.from(bytes.subarray(0, end));
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

/**
 * The least value, of at most that length, above all that begin with `bytes`; undefined where there is none. For text the last code
 * point that has a next one of the same length is raised, so that it stays text.
 */
export function successor(bytes: Uint8Array, isText: boolean): Uint8Array | undefined {
  if (!isText) {
    let last = bytes.length - 1;
    while (last >= 0 && bytes[last] === 0xff) last -= 1;
    if (last < 0) return undefined;
    const next = bytes.slice(0, last + 1);
    next[last] = (next[last] ?? 0) + 1;
    return next;
  }
  const characters = Array.from(Buffer.from(bytes).toString());
  while (characters.length > 0) {
    const code = characters.pop()?.codePointAt(0) ?? 0;
    const next = code === 0xd7ff ? 0xe000 : code + 1;
    if (next > 0x10ffff || utf8Length(next) > utf8Length(code)) continue;
    return Uint8Array.from(Buffer.from(characters.join('') + String.fromCodePoint(next)));
  }
  return undefined;
}

function utf8Length(code: number): number {
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return code < 0x10000 ? 3 : 4;
}
