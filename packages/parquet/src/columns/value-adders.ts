/** One value of each type into its column, checked so that no reader can take it for another one. */
import type { ScalarType } from '../schema/field.js';
import { decimalBytes, unscaledNumber, unscaledText, writeBigint } from '../values/decimal.js';
import { daysOf } from '../values/date.js';
import { refuse } from '../values/refuse.js';
import { writeUuid } from '../values/uuid.js';
import { ByteArrayValues } from './byte-arrays.js';
import {
  BooleanValues,
  DoubleValues,
  FixedValues,
  FloatValues,
  Int32Values,
  Int64Values,
} from './numbers.js';

export type ColumnValues =
  BooleanValues | Int32Values | Int64Values | FloatValues | DoubleValues | FixedValues | ByteArrayValues;

/** Adds a value that is not null. Throws EOS_ROW with the reason for one that does not fit, and has then added nothing. */
export type AddValue = (value: unknown) => void;

export interface TypedValues {
  readonly values: ColumnValues;
  readonly add: AddValue;
}

export function typedValues(type: ScalarType): TypedValues {
  switch (type.kind) {
    case 'boolean':
      return booleans();
    case 'int8':
      return integers(8);
    case 'int16':
      return integers(16);
    case 'int32':
      return integers(32);
    case 'int64':
      return longs();
    case 'float32':
      return floats();
    case 'float64':
      return doubles();
    case 'string':
      return texts();
    case 'json':
      return documents();
    case 'bytes':
      return byteStrings();
    case 'uuid':
      return type.isText === true ? uuidTexts() : uuids();
    case 'date':
      return dates();
    case 'timestamp':
      return timestamps();
    case 'decimal':
      return decimals(type.precision, type.scale);
  }
}

function booleans(): TypedValues {
  const values = new BooleanValues();
  const add = (value: unknown) => {
    if (typeof value !== 'boolean') refuse('no boolean');
    values.push(value);
  };
  return { values, add };
}

function integers(bits: 8 | 16 | 32): TypedValues {
  const values = new Int32Values();
  const shift = 32 - bits;
  const add = (value: unknown) => {
    if (typeof value !== 'number' || (value << shift) >> shift !== value)
      refuse(`no integer of ${bits} bits`);
    values.push(value);
  };
  return { values, add };
}

const MAX_INT64 = 2n ** 63n - 1n;
const MIN_INT64 = -(2n ** 63n);

function longs(): TypedValues {
  const values = new Int64Values();
  const add = (value: unknown) => {
    if (typeof value === 'bigint') {
      pushBigint(values, value);
      return;
    }
    if (typeof value !== 'number') refuse('no integer');
    if (!Number.isSafeInteger(value)) refuse('no safe integer: use a bigint');
    values.pushNumber(value);
  };
  return { values, add };
}

function pushBigint(values: Int64Values, value: bigint): void {
  if (value > MAX_INT64 || value < MIN_INT64) refuse('no integer of 64 bits');
  values.push(value);
}

function timestamps(): TypedValues {
  const values = new Int64Values();
  const add = (value: unknown) => {
    if (typeof value === 'bigint') {
      pushBigint(values, value);
      return;
    }
    if (!(value instanceof Date)) refuse('no timestamp: bigint microseconds since 1970, or a Date');
    const microseconds = value.getTime() * 1000;
    if (Number.isSafeInteger(microseconds)) values.pushNumber(microseconds);
    else if (Number.isNaN(microseconds)) refuse('an invalid Date');
    else values.push(BigInt(value.getTime()) * 1000n);
  };
  return { values, add };
}

function floats(): TypedValues {
  const values = new FloatValues();
  const add = (value: unknown) => {
    if (typeof value !== 'number') refuse('no number');
    if (!Object.is(Math.fround(value), value)) refuse('no number of 32 bits: it would be rounded');
    values.push(value);
  };
  return { values, add };
}

function doubles(): TypedValues {
  const values = new DoubleValues();
  const add = (value: unknown) => {
    if (typeof value !== 'number') refuse('no number');
    values.push(value);
  };
  return { values, add };
}

function texts(): TypedValues {
  const values = new ByteArrayValues(true);
  const add = (value: unknown) => {
    if (typeof value !== 'string') refuse('no string');
    values.pushText(value);
  };
  return { values, add };
}

function documents(): TypedValues {
  const values = new ByteArrayValues(true);
  const add = (value: unknown) => {
    const text = jsonText(value);
    if (typeof text !== 'string') refuse('no JSON');
    if (text.includes('null')) JSON.stringify(value, refuseNumber);
    if (text.includes('\\ud') && ESCAPED_HALF.test(text))
      refuse('JSON with half of a surrogate pair, which readers refuse');
    values.pushText(text);
  };
  return { values, add };
}

/** Half of a surrogate pair as JSON.stringify writes it. Behind an even number of backslashes it is text. */
const ESCAPED_HALF = /(?<!\\)(?:\\\\)*\\ud[89a-f]/;

/** No text for a function or a symbol, whatever its type says; it throws for a bigint, and for what holds itself. */
function jsonText(value: unknown): unknown {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

/** JSON.stringify makes null of a number that JSON does not have. */
function refuseNumber(_name: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? refuse(`JSON has no ${value}`) : value;
}

function byteStrings(): TypedValues {
  const values = new ByteArrayValues(false);
  const add = (value: unknown) => {
    if (!(value instanceof Uint8Array)) refuse('no Uint8Array');
    values.pushBytes(value);
  };
  return { values, add };
}

function uuids(): TypedValues {
  const values = new FixedValues(16);
  const add = (value: unknown) => {
    const at = values.next();
    if (typeof value === 'string' && writeUuid(values.data, at, value)) return;
    values.truncate(values.count - 1);
    refuse('no UUID');
  };
  return { values, add };
}

function uuidTexts(): TypedValues {
  const values = new ByteArrayValues(true);
  const bytes = new Uint8Array(16);
  const add = (value: unknown) => {
    if (typeof value !== 'string' || !writeUuid(bytes, 0, value)) refuse('no UUID');
    values.pushText(value.toLowerCase());
  };
  return { values, add };
}

/** Rows tend to follow one another in time: the last date is often that of the next row too. */
function dates(): TypedValues {
  const values = new Int32Values();
  let lastText: unknown;
  let lastDays = 0;
  const add = (value: unknown) => {
    if (value !== lastText) {
      lastDays = daysOf(value);
      lastText = value;
    }
    values.push(lastDays);
  };
  return { values, add };
}

function decimals(precision: number, scale: number): TypedValues {
  const exact = unscaledText(precision, scale);
  const near = unscaledNumber(precision, scale);
  if (precision <= 9) {
    const values = new Int32Values();
    const add = (value: unknown) => {
      const number = near(value);
      values.push(Number.isNaN(number) ? Number(exact(value)) : number);
    };
    return { values, add };
  }
  if (precision <= 18) {
    const values = new Int64Values();
    const add = (value: unknown) => {
      const number = near(value);
      if (Number.isNaN(number)) values.push(BigInt(exact(value)));
      else values.pushNumber(number);
    };
    return { values, add };
  }
  const values = new FixedValues(decimalBytes(precision));
  const add = (value: unknown) => {
    const number = BigInt(exact(value));
    const at = values.next();
    writeBigint(values.data, at, values.width, number);
  };
  return { values, add };
}
