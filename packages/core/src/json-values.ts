/** From the value of a column to the JSON text that stands for it exactly. */
import type { ColumnType, JsonValue } from './schema.js';

/** How numbers that JavaScript's own would round are written. */
export interface NumberForms {
  /** `number` (default): all its digits, as JSON allows and other languages read; `string` for readers that use doubles. */
  readonly int64?: 'number' | 'string';
  /** `string` (default), as Debezium's `decimal.handling.mode=string`; `number`: all its digits. */
  readonly decimal?: 'number' | 'string';
}

/** The JSON text of a value that is not null; undefined where it is no value of the column. */
export type JsonWriter = (value: unknown) => string | undefined;

/**
 * Makes a function that writes the values of one column:
 * - boolean, int32, string, json: as JSON has them; json refuses what JSON cannot hold
 * - int64: its digits; decimal: text (see {@link NumberForms}), refused where its type would round it
 * - float64: the shortest number that reads back the same; `"NaN"`, `"Infinity"` and `"-Infinity"` as text
 * - bytes: base64; date: `YYYY-MM-DD`; timestamp: ISO 8601 in UTC, to the microsecond; uuid: in lower case
 *
 * Text with half of a surrogate pair is refused: UTF-8 cannot hold it. Each is read back by `schemaRows` to the same value.
 */
export function jsonWriter(type: ColumnType, forms: NumberForms = {}): JsonWriter {
  switch (type.kind) {
    case 'boolean':
      return (value) => (value === true ? 'true' : value === false ? 'false' : undefined);
    case 'int32':
      return (value) => (typeof value === 'number' && value === (value | 0) ? String(value | 0) : undefined);
    case 'int64':
      return forms.int64 === 'string' ? (value) => quoted(int64Digits(value)) : int64Digits;
    case 'float64':
      return floatText;
    case 'decimal': {
      const fits = decimalFits(type.precision, type.scale);
      return forms.decimal === 'number'
        ? (value) => (fits(value) ? decimalNumber(value) : undefined)
        : (value) => (fits(value) ? quoted(decimalDigits(value)) : undefined);
    }
    case 'string':
      return stringText;
    case 'bytes':
      return (value) => (value instanceof Uint8Array ? `"${base64(value)}"` : undefined);
    case 'date':
      return (value) => (isDate(value) ? `"${value}"` : undefined);
    case 'timestamp': {
      const text = timestampText();
      return (value) => quoted(text(value));
    }
    case 'json':
      return jsonText;
    case 'uuid':
      return (value) =>
        typeof value === 'string' && UUID.test(value) ? `"${value.toLowerCase()}"` : undefined;
  }
}

const DATE = /^\d{4}-\d\d-\d\d$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)$/;
const DECIMAL_PARTS = /^([+-]?)0*(\d*)\.?(\d*)$/;

function quoted(text: string | undefined): string | undefined {
  return text === undefined ? undefined : `"${text}"`;
}

function int64Digits(value: unknown): string | undefined {
  if (typeof value === 'bigint') return BigInt.asIntN(64, value) === value ? value.toString() : undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) return undefined;
  return value === 0 ? '0' : String(value);
}

function floatText(value: unknown): string | undefined {
  if (typeof value !== 'number') return undefined;
  if (!Number.isFinite(value)) return `"${value}"`;
  return Object.is(value, -0) ? '-0' : String(value);
}

function decimalDigits(value: unknown): string | undefined {
  return typeof value === 'string' && DECIMAL.test(value) ? value : undefined;
}

/** Whether a decimal keeps all its digits in a column of this size. */
function decimalFits(precision: number | undefined, scale = 0): (value: unknown) => boolean {
  if (precision === undefined) return () => true;
  return (value) => {
    if (decimalDigits(value) === undefined) return false;
    const [, , whole = '', fraction = ''] = DECIMAL_PARTS.exec(String(value)) ?? [];
    return whole.length <= precision - scale && fraction.replace(/0+$/, '').length <= scale;
  };
}

/** One text for equal decimals: no sign of plus or of zero, no zeros at either end that change nothing. */
export function plainDecimal(value: string): string | undefined {
  const number = decimalNumber(value);
  if (number === undefined) return undefined;
  const plain = number.includes('.') ? number.replace(/\.?0+$/, '') : number;
  return plain === '-0' ? '0' : plain;
}

/** JSON allows no sign of plus, no leading zeros, and no point without digits on both sides. */
function decimalNumber(value: unknown): string | undefined {
  const digits = decimalDigits(value);
  if (digits === undefined) return undefined;
  const [, sign, whole = '', fraction = ''] = DECIMAL_PARTS.exec(digits) ?? [];
  return `${sign === '-' ? '-' : ''}${whole === '' ? '0' : whole}${fraction === '' ? '' : `.${fraction}`}`;
}

function stringText(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const text = JSON.stringify(value);
  // JSON.stringify escapes halves of surrogate pairs; text that reads like such an escape is none.
  return text.includes('\\ud') && /\p{Surrogate}/u.test(value) ? undefined : text;
}

function base64(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
}

/** A day of the calendar, from year 1 on. */
function isDate(value: unknown): value is string {
  if (typeof value !== 'string' || !DATE.test(value) || value < '0001') return false;
  if (value <= '0099-12-31')
    return isDate(`2${String(Number(value.slice(0, 4)) % 400).padStart(3, '0')}${value.slice(4)}`);
  const time = Date.parse(`${value}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(value);
}

/** ISO 8601 holds years 0 to 9999; what is beyond cannot be read back by `schemaRows`. */
const FIRST = -62_167_219_200_000_000n;
const BEHIND = 253_402_300_800_000_000n;

/** Of microseconds since 1970, or a Date. Rows tend to follow one another in time: the text of the last second is kept. */
function timestampText(): (value: unknown) => string | undefined {
  let lastSecond = NaN;
  let start = '';
  const text = (second: number, micros: number): string => {
    if (second !== lastSecond) {
      lastSecond = second;
      start = new Date(second * 1000).toISOString().slice(0, 19);
    }
    if (micros === 0) return `${start}Z`;
    return micros % 1000 === 0
      ? `${start}.${String(micros / 1000).padStart(3, '0')}Z`
      : `${start}.${String(micros).padStart(6, '0')}Z`;
  };
  return (value) => {
    if (value instanceof Date) {
      const milliseconds = value.getTime();
      if (
        Number.isNaN(milliseconds) ||
        milliseconds < Number(FIRST) / 1000 ||
        milliseconds >= Number(BEHIND) / 1000
      )
        return undefined;
      const second = Math.floor(milliseconds / 1000);
      return text(second, (milliseconds - second * 1000) * 1000);
    }
    if (typeof value !== 'bigint' || value < FIRST || value >= BEHIND) return undefined;
    const rest = ((value % 1_000_000n) + 1_000_000n) % 1_000_000n;
    return text(Number((value - rest) / 1_000_000n), Number(rest));
  };
}

/** An escaped half of a surrogate pair, as JSON.stringify writes it. An even number of backslashes before it is text. */
const ESCAPED_HALF = /(?<!\\)(?:\\\\)*\\ud[89a-f]/;

/** JSON.stringify leaves members out, and writes null for numbers, that JSON cannot hold: a row must not change on its way. */
function jsonText(value: unknown): string | undefined {
  if (!isJson(value)) return undefined;
  const text = JSON.stringify(value);
  return text.includes('\\ud') && ESCAPED_HALF.test(text) ? undefined : text;
}

function isJson(value: unknown): value is JsonValue {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'object':
      if (value === null) return true;
      if (Array.isArray(value)) return value.every(isJson);
      return Object.values(value).every((member) => member === undefined || isJson(member));
    default:
      return false;
  }
}
