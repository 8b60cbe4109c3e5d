/** What the values of a leaf are to a program, judged by the file's own schema, whoever wrote it. */
import type { SchemaElement } from 'hyparquet';
import { parseFloat16 } from 'hyparquet/src/convert.js';
import type { ScalarType } from '../schema/field.js';
import { dateText } from '../values/date.js';
import { bigintOf, decimalText } from '../values/decimal.js';
import { textOf } from '../values/stored-value.js';
import { uuidText } from '../values/uuid.js';
import { malformed } from './byte-source.js';

export interface ScalarDecoder {
  readonly type: ScalarType;
  /** From what stands in a page; absent: that is the value. */
  readonly decode?: (stored: unknown) => unknown;
  /** Whether it is stored in the way in which this package stores the type, so that its Bloom filter can be asked. */
  readonly isOurs: boolean;
}

/** @throws EOS_SOURCE_FORMAT for a type that Parquet has not */
export function scalarDecoder(element: SchemaElement): ScalarDecoder {
  switch (element.type) {
    case 'BOOLEAN':
      return ours({ kind: 'boolean' });
    case 'INT32':
      return int32Decoder(element);
    case 'INT64':
      return int64Decoder(element);
    case 'INT96':
      // A legacy timestamp: Julian day and nanoseconds of the day. https://github.com/apache/parquet-format/pull/49
      return foreign({ kind: 'timestamp', isUtc: true }, (value) => int96Microseconds(BigInt(String(value))));
    case 'FLOAT':
      return ours({ kind: 'float32' });
    case 'DOUBLE':
      return ours({ kind: 'float64' });
    case 'BYTE_ARRAY':
      return bytesDecoder(element);
    case 'FIXED_LEN_BYTE_ARRAY':
      return fixedDecoder(element);
    default:
      throw malformed(`column ${JSON.stringify(element.name)} has no physical type`);
  }
}

function ours(type: ScalarType, decode?: ScalarDecoder['decode']): ScalarDecoder {
  return decode === undefined ? { type, isOurs: true } : { type, decode, isOurs: true };
}

function foreign(type: ScalarType, decode?: ScalarDecoder['decode']): ScalarDecoder {
  return { ...ours(type, decode), isOurs: false };
}

function int32Decoder(element: SchemaElement): ScalarDecoder {
  const { converted_type: converted, logical_type: logical } = element;
  if (isDecimal(element)) return decimalDecoder(element, 9);
  if (converted === 'DATE' || logical?.type === 'DATE') {
    return ours({ kind: 'date' }, (value) => dateText(Number(value)));
  }
  if (isUnsigned(element, 16)) return foreign({ kind: 'int32' });
  if (isUnsigned(element, 32)) return foreign({ kind: 'int64' }, (value) => BigInt(Number(value) >>> 0));
  const bits = logical?.type === 'INTEGER' && logical.isSigned ? logical.bitWidth : 32;
  if (converted === 'INT_8' || bits === 8) return ours({ kind: 'int8' });
  if (converted === 'INT_16' || bits === 16) return ours({ kind: 'int16' });
  return ours({ kind: 'int32' });
}

function int64Decoder(element: SchemaElement): ScalarDecoder {
  const { converted_type: converted, logical_type: logical } = element;
  if (isDecimal(element)) return decimalDecoder(element, 18);
  if (logical?.type === 'TIMESTAMP') {
    const type = { kind: 'timestamp', isUtc: logical.isAdjustedToUTC } as const;
    if (logical.unit === 'MICROS') return ours(type);
    if (logical.unit === 'MILLIS') return foreign(type, (value) => BigInt(String(value)) * 1000n);
    return foreign(type, (value) => floorDivide(BigInt(String(value)), 1000n));
  }
  if (converted === 'TIMESTAMP_MICROS') return ours({ kind: 'timestamp', isUtc: true });
  if (converted === 'TIMESTAMP_MILLIS') {
    return foreign({ kind: 'timestamp', isUtc: true }, (value) => BigInt(String(value)) * 1000n);
  }
  if (isUnsigned(element, 64)) {
    return foreign({ kind: 'decimal', precision: 20, scale: 0 }, (value) =>
      String(BigInt.asUintN(64, BigInt(String(value)))),
    );
  }
  return ours({ kind: 'int64' });
}

function bytesDecoder(element: SchemaElement): ScalarDecoder {
  const { converted_type: converted, logical_type: logical } = element;
  if (isDecimal(element)) return decimalDecoder(element, Infinity);
  if (converted === 'JSON' || logical?.type === 'JSON') {
    return ours({ kind: 'json' }, (value) => parseJson(element, bytesOf(value)));
  }
  const isText =
    converted === 'UTF8' || converted === 'ENUM' || logical?.type === 'STRING' || logical?.type === 'ENUM';
  if (isText) return ours({ kind: 'string' }, (value) => textOf(bytesOf(value)));
  // A copy: otherwise one value keeps its whole page in memory.
  return ours({ kind: 'bytes' }, (value) => bytesOf(value).slice());
}

function parseJson(element: SchemaElement, bytes: Uint8Array): unknown {
  try {
    const value: unknown = JSON.parse(textOf(bytes));
    return value;
  } catch (error) {
    throw malformed(`column ${JSON.stringify(element.name)} holds something that is no JSON`, error);
  }
}

function fixedDecoder(element: SchemaElement): ScalarDecoder {
  const { logical_type: logical, type_length: width = 0 } = element;
  if (isDecimal(element)) return decimalDecoder(element, Infinity);
  if (logical?.type === 'UUID' && width === 16) {
    return ours({ kind: 'uuid' }, (value) => uuidText(bytesOf(value)));
  }
  if (logical?.type === 'FLOAT16')
    return foreign({ kind: 'float32' }, (value) => parseFloat16(bytesOf(value)));
  return foreign({ kind: 'bytes' }, (value) => bytesOf(value).slice());
}

function isDecimal({ converted_type: converted, logical_type: logical }: SchemaElement): boolean {
  return converted === 'DECIMAL' || logical?.type === 'DECIMAL';
}

/** `most`: the digits up to which this package stores decimals in the same physical type. */
function decimalDecoder(element: SchemaElement, most: number): ScalarDecoder {
  const logical = element.logical_type?.type === 'DECIMAL' ? element.logical_type : undefined;
  const precision = element.precision ?? logical?.precision ?? 38;
  const scale = element.scale ?? logical?.scale ?? 0;
  const decode = (value: unknown) =>
    decimalText(value instanceof Uint8Array ? bigintOf(value) : BigInt(String(value)), scale);
  const isOurs =
    element.type === 'INT32'
      ? precision <= most
      : element.type === 'INT64' && precision > 9 && precision <= most;
  return { ...ours({ kind: 'decimal', precision, scale }, decode), isOurs };
}

/** Whether it is an unsigned integer of at most so many bits. */
function isUnsigned(
  { converted_type: converted, logical_type: logical }: SchemaElement,
  bits: number,
): boolean {
  if (logical?.type === 'INTEGER') return !logical.isSigned && logical.bitWidth <= bits;
  const found = /^UINT_(\d+)$/.exec(converted ?? '')?.[1];
  return found !== undefined && Number(found) <= bits;
}

function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw malformed('a value is no bytes');
}

const JULIAN_DAY_OF_1970 = 2_440_588n;

function int96Microseconds(value: bigint): bigint {
  const days = BigInt.asIntN(32, value >> 64n) - JULIAN_DAY_OF_1970;
  return days * 86_400_000_000n + BigInt.asIntN(64, value) / 1000n;
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}
