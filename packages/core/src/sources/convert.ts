/** From text and from JSON's values to the values of a column, exactly or not at all. */
import type { ColumnKind, ColumnType, ColumnValues } from '../schema.js';
import { isExact, longNumbers } from './json-numbers.js';

/** The value of the column; undefined where `value` cannot be one. Never called with null or undefined. */
export type Convert<From = unknown> = (value: From) => ColumnValues[ColumnKind] | undefined;

/**
 * Text, as CSV holds it:
 * - boolean: `true`, `t`, `1`, `false`, `f`, `0`, in any case
 * - int32, int64 (as bigint), float64 (also `NaN`, `Infinity`, `-Infinity`)
 * - decimal: digits, also with an exponent; refused where precision or scale would round it
 * - bytes: base64, or `\x` and hexadecimal digits
 * - date: `YYYY-MM-DD`
 * - timestamp: ISO 8601, with `T` or a space, to the microsecond (finer is refused); a zone, else UTC; a date is its midnight
 * - json: JSON text, without numbers that JSON.parse would change; uuid: in lower case
 */
export function textConverter(type: ColumnType): Convert<string> {
  switch (type.kind) {
    case 'boolean':
      return toBoolean;
    case 'int32':
      return (text) => (INTEGER.test(text) ? toInt32(Number(text)) : undefined);
    case 'int64':
      return toInt64;
    case 'float64':
      return toFloat64;
    case 'decimal':
      return (text) => toDecimal(text, type.precision, type.scale);
    case 'string':
      return (text) => text;
    case 'bytes':
      return toBytes;
    case 'date':
      return (text) => (text.length === 10 && toMicroseconds(text) !== undefined ? text : undefined);
    case 'timestamp':
      return toMicroseconds;
    case 'json':
      return toJson;
    case 'uuid':
      return (text) => (UUID.test(text) ? text.toLowerCase() : undefined);
  }
}

/**
 * A value of JSON: one of the column's own type, or a text as in {@link textConverter}. A number for an int64 must be a safe
 * integer, and for a decimal have at most 15 digits: what is beyond, JSON.parse has rounded already, and must come as text. A number is no timestamp: it
 * would not say its unit.
 */
export function jsonConverter(type: ColumnType): Convert {
  const fromText = textConverter(type);
  const ofText = (value: unknown) => (typeof value === 'string' ? fromText(value) : undefined);
  switch (type.kind) {
    case 'boolean':
      return (value) => (typeof value === 'boolean' ? value : ofText(value));
    case 'int32':
      return (value) => (typeof value === 'number' ? toInt32(value) : ofText(value));
    case 'int64':
      return (value) =>
        typeof value !== 'number' ? ofText(value) : Number.isSafeInteger(value) ? BigInt(value) : undefined;
    case 'float64':
      return (value) =>
        typeof value !== 'number' ? ofText(value) : Number.isFinite(value) ? value : undefined;
    case 'decimal':
      return (value) =>
        typeof value === 'number' ? decimalOfNumber(value, type.precision, type.scale) : ofText(value);
    case 'json':
      return (value) => (isJson(value) ? value : undefined);
    default:
      return ofText;
  }
}

const INTEGER = /^[+-]?\d{1,40}$/;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)$/;
const EXPONENT = /^([+-]?)(\d+)(?:\.(\d*))?[eE]([+-]?\d{1,3})$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const HEX = /^\\x(?:[0-9a-fA-F]{2})*$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const TIMESTAMP =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(?:([Zz])|([+-])(\d\d)(?::?(\d\d))?)?)?$/;

function toBoolean(text: string): boolean | undefined {
  switch (text.toLowerCase()) {
    case 'true':
    case 't':
    case '1':
      return true;
    case 'false':
    case 'f':
    case '0':
      return false;
    default:
      return undefined;
  }
}

function toInt32(value: number): number | undefined {
  // -0 becomes 0.
  return value === (value | 0) ? value | 0 : undefined;
}

function toInt64(text: string): bigint | undefined {
  if (!INTEGER.test(text)) return undefined;
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text);
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

function toFloat64(text: string): number | undefined {
  if (text === 'NaN') return NaN;
  if (text === 'Infinity' || text === '-Infinity') return Number(text);
  if (!NUMBER.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

function decimalOfNumber(
  value: number,
  precision: number | undefined,
  scale: number | undefined,
): string | undefined {
  const text = String(value);
  const digits = text
    .replace(/[eE].*$/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+/, '')
    .replace(/0+$/, '');
  return digits.length <= 15 ? toDecimal(text, precision, scale) : undefined;
}

function toDecimal(text: string, precision: number | undefined, scale = 0): string | undefined {
  const plain = DECIMAL.test(text) ? text : withoutExponent(text);
  if (plain === undefined || precision === undefined) return plain;
  const [whole = '', fraction = ''] = plain.replace(/^[+-]?0*/, '').split('.');
  const fits = whole.length <= precision - scale && fraction.replace(/0+$/, '').length <= scale;
  return fits ? plain : undefined;
}

function withoutExponent(text: string): string | undefined {
  const match = EXPONENT.exec(text);
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const point = whole.length + Number(exponent);
  const digits = (whole + fraction)
    .padStart(whole.length + fraction.length - Math.min(point - 1, 0), '0')
    .padEnd(point, '0');
  const split = Math.max(point, 1);
  return `${sign}${digits.slice(0, split)}${digits.length > split ? `.${digits.slice(split)}` : ''}`;
}

function toBytes(text: string): Buffer | undefined {
  if (HEX.test(text)) return Buffer.from(text.slice(2), 'hex');
  return BASE64.test(text) ? Buffer.from(text, 'base64') : undefined;
}

function toJson(text: string): ColumnValues['json'] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJson(value) && longNumbers(text).every((number) => isExact(number.text)) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** All that is asked here is that `value` came from JSON.parse, which returns nothing else. */
function isJson(value: unknown): value is ColumnValues['json'] {
  return value !== undefined;
}

const DAYS_BEFORE_MONTH = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];

/** Microseconds since 1970 of an ISO date or timestamp: by whole numbers, since a Date would cut it to milliseconds. */
function toMicroseconds(text: string): bigint | undefined {
  const match = TIMESTAMP.exec(text);
  if (match === null) return undefined;
  const [
    ,
    year,
    month,
    day,
    hour = '0',
    minute = '0',
    second = '0',
    fraction = '',
    ,
    sign,
    zoneHour = '0',
    zoneMinute = '0',
  ] = match;
  const days = daysSince1970(Number(year), Number(month), Number(day));
  const isClock = Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60;
  const isZone = Number(zoneHour) < 24 && Number(zoneMinute) < 60;
  if (days === undefined || !isClock || !isZone || !/^\d{0,6}0*$/.test(fraction)) return undefined;
  const zone = (Number(zoneHour) * 60 + Number(zoneMinute)) * (sign === '-' ? -60 : 60);
  const seconds = ((days * 24 + Number(hour)) * 60 + Number(minute)) * 60 + Number(second) - zone;
  const microseconds = seconds * 1_000_000 + Number(fraction.slice(0, 6).padEnd(6, '0'));
  if (Number.isSafeInteger(microseconds)) return BigInt(microseconds);
  return BigInt(seconds) * 1_000_000n + BigInt(fraction.slice(0, 6).padEnd(6, '0'));
}

/** By the Gregorian calendar, before its introduction too; undefined for a day that is none. */
function daysSince1970(year: number, month: number, day: number): number | undefined {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const before = DAYS_BEFORE_MONTH[month - 1];
  const after = DAYS_BEFORE_MONTH[month];
  if (before === undefined || after === undefined || day < 1) return undefined;
  if (day > after - before + (isLeap && month === 2 ? 1 : 0)) return undefined;
  const leapDays =
    Math.floor((year + 3) / 4) - Math.floor((year + 99) / 100) + Math.floor((year + 399) / 400);
  return year * 365 + leapDays + before + (isLeap && month > 2 ? 1 : 0) + day - 1 - DAYS_BEFORE_1970;
}

/** Days from 1 January of year 0 to 1 January 1970. */
const DAYS_BEFORE_1970 = 719_528;
