/** From the value of a column to the JSON text that stands for it exactly. */
import { EosError, textConverter, type ColumnType, type JsonValue, type RowSchema } from '@eos/core';

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
 * - boolean, int32, string, json: as JSON has them; json refuses what JSON cannot hold
 * - int64: its digits; decimal: text (see {@link NumberForms})
 * - float64: the shortest number that reads back the same; `"NaN"`, `"Infinity"` and `"-Infinity"` as text
 * - bytes: base64; date: `YYYY-MM-DD`; timestamp: ISO 8601 in UTC, to the microsecond; uuid: in lower case
 *
 * Each is read back by `schemaRows` of `@eos/core` to the same value.
 */
export function jsonWriter(type: ColumnType, forms: NumberForms = {}): JsonWriter {
  switch (type.kind) {
    case 'boolean':
      return (value) => (value === true ? 'true' : value === false ? 'false' : undefined);
    case 'int32':
      return (value) => (typeof value === 'number' && value === (value | 0) ? String(value) : undefined);
    case 'int64':
      return forms.int64 === 'string' ? (value) => quoted(int64Digits(value)) : int64Digits;
    case 'float64':
      return floatText;
    case 'decimal': {
      // What does not fit precision and scale is refused, as the reader would.
      const fits = textConverter(type);
      const write =
        forms.decimal === 'number' ? decimalNumber : (value: unknown) => quoted(decimalDigits(value));
      return (value) => (typeof value === 'string' && fits(value) !== undefined ? write(value) : undefined);
    }
    case 'string':
      return (value) => (typeof value === 'string' ? JSON.stringify(value) : undefined);
    case 'bytes':
      return (value) => (value instanceof Uint8Array ? `"${base64(value)}"` : undefined);
    case 'date': {
      // The calendar has no 29 February in most years.
      const exists = textConverter(type);
      return (value) => (typeof value === 'string' && exists(value) !== undefined ? `"${value}"` : undefined);
    }
    case 'timestamp':
      return (value) => quoted(timestampText(value));
    case 'json':
      return (value) => jsonText(value);
    case 'uuid':
      return (value) =>
        typeof value === 'string' && UUID.test(value) ? `"${value.toLowerCase()}"` : undefined;
  }
}

/** What is known of a column before the first row. */
export interface ColumnWriter {
  readonly name: string;
  readonly isNullable: boolean;
  readonly kind: string;
  readonly write: JsonWriter;
}

/** @throws EOS_CONFIG for a name that the schema does not have */
export function columnWriters(
  schema: RowSchema,
  names: readonly string[],
  forms: NumberForms,
): readonly ColumnWriter[] {
  return names.map((name) => {
    const column = schema.columns[name];
    if (column === undefined) {
      throw new EosError('EOS_CONFIG', `the schema has no column ${JSON.stringify(name)}`, {
        details: { option: 'key', column: name },
      });
    }
    const { type, isNullable } = column;
    return { name, isNullable, kind: type.kind, write: jsonWriter(type, forms) };
  });
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)$/;

function quoted(text: string | undefined): string | undefined {
  return text === undefined ? undefined : `"${text}"`;
}

function int64Digits(value: unknown): string | undefined {
  if (typeof value === 'bigint') return BigInt.asIntN(64, value) === value ? value.toString() : undefined;
  return typeof value === 'number' && Number.isSafeInteger(value)
    ? value === 0
      ? '0'
      : String(value)
    : undefined;
}

function floatText(value: unknown): string | undefined {
  if (typeof value !== 'number') return undefined;
  if (!Number.isFinite(value)) return `"${value}"`;
  return Object.is(value, -0) ? '-0' : String(value);
}

function decimalDigits(value: unknown): string | undefined {
  return typeof value === 'string' && DECIMAL.test(value) ? value : undefined;
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
  const [, sign, whole = '', fraction = ''] = /^([+-]?)0*(\d*)\.?(\d*)$/.exec(digits) ?? [];
  return `${sign === '-' ? '-' : ''}${whole === '' ? '0' : whole}${fraction === '' ? '' : `.${fraction}`}`;
}

function base64(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
}

/** ISO 8601 holds years 0 to 9999; what is beyond cannot be read back by `schemaRows`. */
const FIRST = -62_167_219_200_000_000n;
const BEHIND = 253_402_300_800_000_000n;

/** Of microseconds since 1970, or a Date. */
function timestampText(value: unknown): string | undefined {
  if (value instanceof Date) {
    const milliseconds = value.getTime();
    return Number.isNaN(milliseconds) ? undefined : timestampText(BigInt(milliseconds) * 1000n);
  }
  if (typeof value !== 'bigint' || value < FIRST || value >= BEHIND) return undefined;
  const micros = Number(value % 1000n);
  const rest = micros < 0 ? micros + 1000 : micros;
  const text = new Date(Number((value - BigInt(rest)) / 1000n)).toISOString();
  return rest === 0 ? text : `${text.slice(0, -1)}${String(rest).padStart(3, '0')}Z`;
}

/** JSON.stringify leaves members out, and writes null for numbers, that JSON cannot hold: a row must not change on its way. */
function jsonText(value: unknown): string | undefined {
  return isJson(value) ? JSON.stringify(value) : undefined;
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
