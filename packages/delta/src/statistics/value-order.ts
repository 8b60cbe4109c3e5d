/** Values of a column in the order that Delta's statistics mean: those of rows, of statistics, and of conditions. */
import type { DeltaType } from '../schema/delta-schema.js';
import { unscaledOf } from '../schema/decimals.js';
import { parseTimestamp } from '../schema/timestamps.js';

/** Two of one column can be compared. Decimals are unscaled, timestamps microseconds. */
export type Comparable = number | bigint | string | boolean | Uint8Array;

/** Undefined for null, for NaN, and for what is no value of the column: neither is in any range. */
export interface ValueOrder {
  /** Of a value as rows have it. */
  readonly value: (value: unknown) => Comparable | undefined;
  /** Of a bound as statistics have it; a number of many digits is its text. */
  readonly least: (json: unknown) => Comparable | undefined;
  readonly greatest: (json: unknown) => Comparable | undefined;
}

/** Undefined for a type that has no order: structs, lists and maps. */
export function valueOrder(type: DeltaType): ValueOrder | undefined {
  switch (type.kind) {
    case 'boolean':
      return sameForAll((value) => (typeof value === 'boolean' ? value : undefined));
    case 'byte':
    case 'short':
    case 'integer':
      return sameForAll(integerOf);
    case 'long':
      return sameForAll(longOf);
    case 'float':
    case 'double':
      return sameForAll((value) =>
        typeof value === 'number' && !Number.isNaN(value) ? value : longNumber(value),
      );
    case 'string':
      return sameForAll((value) => (typeof value === 'string' ? value : undefined));
    case 'date':
      return sameForAll((value) => (typeof value === 'string' && DATE.test(value) ? value : undefined));
    case 'binary':
      // Its bounds have no text that all writers agree on.
      return { value: bytesOf, least: () => undefined, greatest: () => undefined };
    case 'timestamp':
    case 'timestamp_ntz':
      return {
        value: microsecondsOf,
        least: timestampBound,
        // Other writers cut microseconds off, so that a value may lie above.
        greatest: (json) => {
          const bound = timestampBound(json);
          return bound === undefined ? undefined : bound + 999n;
        },
      };
    case 'decimal': {
      const unscaled = (value: unknown) =>
        typeof value === 'string' || typeof value === 'number'
          ? unscaledOf(String(value), type.scale)
          : undefined;
      return sameForAll(unscaled);
    }
    default:
      return undefined;
  }
}

/** Years 1 to 9999: others have no text whose order is theirs. */
const DATE = /^\d{4}-\d\d-\d\d$/;

function sameForAll(of: (value: unknown) => Comparable | undefined): ValueOrder {
  return { value: of, least: of, greatest: of };
}

function integerOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) ? value : undefined;
}

function longOf(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  return typeof value === 'string' && /^-?\d{1,19}$/.test(value) ? BigInt(value) : undefined;
}

/** Of statistics: `1.7976931348623157e308` has too many digits to be taken for a number at once. */
function longNumber(value: unknown): number | undefined {
  if (typeof value !== 'string' || !/^-?\d/.test(value)) return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

function microsecondsOf(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (!(value instanceof Date) || Number.isNaN(value.getTime())) return undefined;
  return BigInt(value.getTime()) * 1000n;
}

function timestampBound(json: unknown): bigint | undefined {
  return typeof json === 'string' ? parseTimestamp(json) : undefined;
}

function bytesOf(value: unknown): Uint8Array | undefined {
  return value instanceof Uint8Array ? value : undefined;
}

/** Both must be of one column. */
export function compareValues(left: Comparable, right: Comparable): number {
  if (typeof left === 'string' && typeof right === 'string') return compareText(left, right);
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.compare(left, right);
  if (left < right) return -1;
  return left > right ? 1 : 0;
}

/** By UTF-8 bytes, as every reader compares: JavaScript's order differs behind the first surrogate. */
export function compareText(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at++) {
    const [first, second] = [left.charCodeAt(at), right.charCodeAt(at)];
    if (first !== second) return rank(first) - rank(second);
  }
  return left.length - right.length;
}

/** Surrogates stand for characters above all of 16 bits. */
function rank(code: number): number {
  return code >= 0xd800 && code < 0xe000 ? code + 0x10000 : code;
}

/** Every UTF-16 unit, by {@link rank}, is below this. */
const TEXT_BASE = 2 ** 17;

/**
 * A number for a value: one of a lesser value is never greater. For a quick look, since different values may have the same.
 */
export function comparableRank(value: Comparable): number {
  if (typeof value === 'string')
    return (textRank(value, 0) * TEXT_BASE + textRank(value, 1)) * TEXT_BASE + textRank(value, 2);
  if (!(value instanceof Uint8Array)) return Number(value);
  let number = 0;
  for (let at = 0; at < 6; at++) number = number * 256 + (value[at] ?? 0);
  return number;
}

function textRank(text: string, at: number): number {
  return at < text.length ? rank(text.charCodeAt(at)) : 0;
}
