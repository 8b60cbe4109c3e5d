/**
 * Values of partition columns as the text that the log has.
 * https://github.com/delta-io/delta/blob/master/PROTOCOL.md#partition-value-serialization
 */
import { EosError } from '@eos/core';
import type { DeltaField } from './delta-schema.js';

/** The text of a value, null for null. Throws EOS_ROW with the reason for a value that does not fit. */
export type PartitionText = (value: unknown) => string | null;

/**
 * @throws EOS_SCHEMA for a column of a type that no table can be parted by
 */
export function partitionTextOf(field: DeltaField): PartitionText {
  const text = textOf(field);
  return (value) => {
    if (value !== null && value !== undefined) return text(value);
    return field.isNullable ? null : refuse('is null, and may not be');
  };
}

type Text = (value: unknown) => string;

function textOf(field: DeltaField): Text {
  const { name, type } = field;
  switch (type.kind) {
    case 'boolean':
      return (value) => (typeof value === 'boolean' ? String(value) : refuse('is no boolean'));
    case 'byte':
      return integers(-128n, 127n);
    case 'short':
      return integers(-32_768n, 32_767n);
    case 'integer':
      return integers(-2_147_483_648n, 2_147_483_647n);
    case 'long':
      return integers(-(2n ** 63n), 2n ** 63n - 1n);
    case 'double':
      return (value) => (typeof value === 'number' ? doubleText(value) : refuse('is no number'));
    case 'decimal':
      return decimals(type.precision, type.scale);
    case 'string':
      return stringText;
    case 'date':
      return dateText;
    case 'timestamp':
      return timestampText;
    default:
      throw new EosError(
        'EOS_SCHEMA',
        `the table cannot be parted by ${JSON.stringify(name)}, a ${type.kind}`,
        {
          details: { column: name },
        },
      );
  }
}

function integers(least: bigint, most: bigint): Text {
  return (value) => {
    const isInteger = typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value));
    if (!isInteger) return refuse('is no integer');
    const number = BigInt(value);
    return number >= least && number <= most ? number.toString() : refuse('is out of range');
  };
}

function doubleText(value: number): string {
  return Object.is(value, -0) ? '-0.0' : String(value);
}

function decimals(precision: number, scale: number): Text {
  return (value) => {
    const [, sign, whole = '', fraction = ''] =
      typeof value === 'string' ? (/^([+-]?)0*(\d*)\.?(\d*?)0*$/.exec(value) ?? []) : [];
    if (sign === undefined || !/\d/.test(String(value))) return refuse('is no decimal');
    if (fraction.length > scale || whole.length > precision - scale) return refuse('has too many digits');
    const digits = `${whole === '' ? '0' : whole}${scale === 0 ? '' : `.${fraction.padEnd(scale, '0')}`}`;
    return sign === '-' && /[1-9]/.test(digits) ? `-${digits}` : digits;
  };
}

/** An empty text is null to every reader: it cannot be told apart. */
function stringText(value: unknown): string {
  if (typeof value !== 'string') return refuse('is no text');
  if (value === '') return refuse('is an empty text, which Delta takes for null in a partition column');
  return /\p{Surrogate}/u.test(value) ? refuse('holds half a surrogate pair') : value;
}

function dateText(value: unknown): string {
  const isDate = typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value);
  const date = new Date(isDate ? `${value}T00:00:00Z` : Number.NaN);
  if (!isDate || Number.isNaN(date.getTime()) || date.toISOString().slice(0, 10) !== value)
    return refuse('is no date YYYY-MM-DD');
  return value;
}

function timestampText(value: unknown): string {
  const microseconds = value instanceof Date ? microsecondsOf(value) : value;
  if (typeof microseconds !== 'bigint') return refuse('is no timestamp');
  const milliseconds = Number(microseconds / 1000n - (microseconds % 1000n < 0n ? 1n : 0n));
  const rest = microseconds - BigInt(milliseconds) * 1000n;
  const date = new Date(milliseconds);
  const year = date.getUTCFullYear();
  if (!(year >= 1 && year <= 9999)) return refuse('is no timestamp of the years 1 to 9999');
  return date.toISOString().replace('Z', `${rest.toString().padStart(3, '0')}Z`);
}

function microsecondsOf(date: Date): bigint | undefined {
  return Number.isNaN(date.getTime()) ? undefined : BigInt(date.getTime()) * 1000n;
}

function refuse(reason: string): never {
  throw new EosError('EOS_ROW', `the value ${reason}`);
}
