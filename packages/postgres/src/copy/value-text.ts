/** One value of each type as a field of COPY's text format, checked so that the server cannot take it for another one. */
import { MAX_INT64, type Column, type ColumnKind, type ColumnType } from '@eos/core';
import { NOT_IN_JSONB } from './json-refused.js';
import { refuse } from './refuse.js';
import { timestampEncoder } from './timestamp-text.js';

/** What COPY reads as null. */
export const NULL = '\\N';

/** How the values of one column are written. */
export interface ColumnEncoder {
  readonly name: string;
  readonly kind: ColumnKind;
  readonly isNullable: boolean;
  /** The text of a value that is not null. Throws EOS_ROW with the reason for one that does not fit. */
  readonly encode: (value: unknown) => string;
}

export function schemaEncoder(name: string, { type, isNullable }: Column): ColumnEncoder {
  return { name, kind: type.kind, isNullable, encode: valueEncoder(type) };
}

/** Chosen once a column: the path of a value then knows its type. */
export function valueEncoder(type: ColumnType): (value: unknown) => string {
  switch (type.kind) {
    case 'boolean':
      return booleanText;
    case 'int32':
      return int32Text;
    case 'int64':
      return int64Text;
    case 'float64':
      return float64Text;
    case 'decimal':
      return decimalEncoder(type.precision, type.scale ?? 0);
    case 'string':
      return stringText;
    case 'bytes':
      return bytesText;
    case 'date':
      return dateText;
    case 'timestamp':
      return timestampEncoder();
    case 'json':
      return jsonText;
    case 'uuid':
      return uuidText;
  }
}

function booleanText(value: unknown): string {
  if (typeof value !== 'boolean') return refuse('no boolean');
  return value ? 't' : 'f';
}

function int32Text(value: unknown): string {
  if (typeof value !== 'number' || (value | 0) !== value) return refuse('no integer of 32 bits');
  return String(value);
}

function int64Text(value: unknown): string {
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) ? String(value) : refuse('no safe integer: use a bigint');
  }
  if (typeof value !== 'bigint') return refuse('no integer');
  return value <= MAX_INT64 && value >= -MAX_INT64 - 1n ? String(value) : refuse('no integer of 64 bits');
}

function float64Text(value: unknown): string {
  if (typeof value !== 'number') return refuse('no number');
  const hundredths = Math.round(value * 100);
  // Most numbers that people write down have two decimals at most. The division is exact to the last bit, so that these digits
  // are read as the same number; finding the shortest digits of any other takes twice as long.
  if (hundredths / 100 === value && hundredths > 0 && hundredths < Number.MAX_SAFE_INTEGER) {
    const whole = Math.floor(hundredths / 100);
    return String(whole) + (DECIMALS[hundredths - whole * 100] ?? '');
  }
  return value === 0 && Object.is(value, -0) ? '-0' : String(value);
}

const DECIMALS = Array.from({ length: 100 }, (_, number) =>
  number === 0 ? '' : `.${String(number).padStart(2, '0')}`,
);

const DECIMAL = /^[+-]?(?:(\d+)(?:\.(\d*))?|\.(\d+))$/;

/** The server would round what has too many digits, silently. Below zero, `scale` counts the zeros that the digits end with. */
function decimalEncoder(precision: number | undefined, scale: number): (value: unknown) => string {
  const most = Math.max(0, scale);
  const zeros = '0'.repeat(Math.max(0, -scale));
  return (value) => {
    const parts = typeof value === 'string' ? DECIMAL.exec(value) : null;
    if (parts === null) return refuse('no decimal: digits in a string, with an optional sign and point');
    if (precision !== undefined) {
      const whole = (parts[1] ?? '').replace(/^0+/, '');
      const fraction = (parts[2] ?? parts[3] ?? '').replace(/0+$/, '');
      const isRound = whole === '' || whole.endsWith(zeros);
      if (whole.length > Math.max(0, precision - scale) || fraction.length > most || !isRound) {
        return refuse(`more digits than decimal(${precision}, ${scale}) holds`);
      }
    }
    return parts[0];
  };
}

const SPECIAL = /[\\\t\n\r\0\ud800-\udfff]/;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

export function stringText(value: unknown): string {
  if (typeof value !== 'string') return refuse('no string');
  return SPECIAL.test(value) ? escaped(value) : value;
}

function escaped(text: string): string {
  if (text.includes('\0')) return refuse('a string with a NUL, which PostgreSQL cannot hold');
  if (/\p{Surrogate}/u.test(text))
    return refuse('a string with half of a surrogate pair, which UTF-8 cannot hold');
  return text.replace(/[\\\t\n\r]/g, (character) => ESCAPES[character] ?? character);
}

function bytesText(value: unknown): string {
  if (!(value instanceof Uint8Array)) return refuse('no Uint8Array');
  return `\\\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`;
}

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;

function dateText(value: unknown): string {
  const parts = typeof value === 'string' ? DATE.exec(value) : null;
  if (parts === null) return refuse('no date: YYYY-MM-DD');
  const [text, year, month, day] = [parts[0], Number(parts[1]), Number(parts[2]), Number(parts[3])];
  const lastDay = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
  const isDate = year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= lastDay;
  return isDate ? text : refuse('no date of the calendar');
}

function jsonText(value: unknown): string {
  // Its type says string, but what has no JSON (a function, a symbol) gives undefined.
  const text: unknown = JSON.stringify(value);
  if (typeof text !== 'string') return refuse('no JSON');
  if (text.includes('\\u') && NOT_IN_JSONB.test(text))
    return refuse('JSON with a NUL or half of a surrogate pair');
  if (text.includes('null')) JSON.stringify(value, refuseNumber);
  return text.replace(/\\/g, '\\\\');
}

/** JSON.stringify makes null of a number that JSON does not have. */
function refuseNumber(_name: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? refuse(`JSON has no ${value}`) : value;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

function uuidText(value: unknown): string {
  return typeof value === 'string' && UUID.test(value) ? value : refuse('no UUID');
}
