/** What a column would round, cut or take for something else without a word is refused, or written as the server means it. */
import type { ColumnKind } from '@eos/core';
import { refuse } from './refuse.js';
import type { TableColumn } from '../table/table.js';

type Encode = (value: unknown) => string;

/** The same encoder; the values that the column would change are EOS_ROW. */
export function exactEncoder({ type, modifier }: TableColumn, kind: ColumnKind, encode: Encode): Encode {
  switch (type) {
    case 'numeric':
      return wholeEncoder(modifier, kind, encode);
    case 'timestamp':
    case 'timestamptz':
      return modifier < 0 || modifier >= 6 ? encode : secondsEncoder(modifier, encode);
    case 'float4':
      return realEncoder(encode);
    case 'varchar':
      return modifier < 4
        ? encode
        : textEncoder(encode, (text) => isLonger(text, modifier - 4), modifier - 4);
    case 'bpchar':
      // Spaces at its end do not count.
      return modifier < 4
        ? encode
        : textEncoder(encode, (text) => isLonger(text.replace(/ +$/, ''), modifier - 4), modifier - 4);
    case 'name':
      return textEncoder(encode, (text) => Buffer.byteLength(text) > NAME_BYTES, NAME_BYTES);
    case 'char':
      return textEncoder(encode, (text) => Buffer.byteLength(text) > 1, 1);
    default:
      return encode;
  }
}

const NAME_BYTES = 63;

/** Precision and scale of `numeric(p, s)`. https://github.com/postgres/postgres/blob/REL_15_STABLE/src/backend/utils/adt/numeric.c */
export function numericModifier(modifier: number): { precision?: number; scale?: number } {
  if (modifier < 4) return {};
  const scale = (((modifier - 4) & 0x7ff) ^ 1024) - 1024;
  return { precision: ((modifier - 4) >> 16) & 0xffff, scale };
}

/** `numeric(5, -2)` holds whole hundreds. */
function wholeEncoder(modifier: number, kind: ColumnKind, encode: Encode): Encode {
  const { scale = 0 } = numericModifier(modifier);
  if (scale >= 0 || (kind !== 'int32' && kind !== 'int64')) return encode;
  const rest = '0'.repeat(-scale);
  return (value) => {
    const text = encode(value);
    return text === '0' || text.endsWith(rest) ? text : refuse(`no multiple of 1${rest}`);
  };
}

const FRACTION = /\.(\d*[1-9])/;

function secondsEncoder(digits: number, encode: Encode): Encode {
  return (value) => {
    const text = encode(value);
    const fraction = FRACTION.exec(text)?.[1] ?? '';
    return fraction.length > digits ? refuse(`more than ${digits} digits of a second`) : text;
  };
}

/** The fewest digits that tell every `real` with so many digits from its neighbours, and all `real` values. */
const REAL_DIGITS = [6, 7, 8, 9];

/** A `real` is read back as the shortest digits that tell it from any other: a number for which these are another number is refused. */
function realEncoder(encode: Encode): Encode {
  return (value) => {
    const text = encode(value);
    if (typeof value !== 'number') return text;
    const real = Math.fround(value);
    if (Object.is(real, value)) return text;
    const shortest = REAL_DIGITS.map((digits) => Number(real.toPrecision(digits))).find(
      (number) => Math.fround(number) === real,
    );
    return shortest === value ? text : refuse('no number that a real holds');
  };
}

function textEncoder(encode: Encode, isTooLong: (text: string) => boolean, length: number): Encode {
  return (value) => {
    const text = encode(value);
    return typeof value === 'string' && isTooLong(value) ? refuse(`longer than ${length}`) : text;
  };
}

/** In characters, as the server counts. */
function isLonger(text: string, length: number): boolean {
  return text.length > length && Array.from(text).length > length;
}

const INFINITIES: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  ['infinity', 'infinity'],
  ['-infinity', '-infinity'],
  [Infinity, 'infinity'],
  [-Infinity, '-infinity'],
]);
const NUMERICS: ReadonlyMap<unknown, string> = new Map(
  ['NaN', 'Infinity', '-Infinity'].map((text): [unknown, string] => [text, text]),
);

/** Before year 1 and after 9999, as the server writes them. */
const FAR_DATE = /^(?:\d{4}-\d{2}-\d{2} BC|[1-9]\d{4,6}-\d{2}-\d{2})$/;

/**
 * What the type of a column holds beyond the kind that stands for it in a schema, as the server or `pg` gives it out. Where a schema
 * says what the rows hold, they hold no more.
 */
export function nativeEncoder({ type }: TableColumn, encode: Encode): Encode {
  switch (type) {
    case 'numeric':
      return orElse(encode, (value) => NUMERICS.get(value));
    case 'timestamp':
    case 'timestamptz':
      return orElse(encode, (value) => INFINITIES.get(value));
    case 'date':
      return orElse(
        encode,
        (value) =>
          INFINITIES.get(value) ?? (typeof value === 'string' ? FAR_DATE.exec(value)?.[0] : undefined),
      );
    default:
      return encode;
  }
}

/** Ordinary values pay nothing for the others. */
function orElse(encode: Encode, other: (value: unknown) => string | undefined): Encode {
  return (value) => {
    try {
      return encode(value);
    } catch (error) {
      const text = other(value);
      if (text === undefined) throw error;
      return text;
    }
  };
}
