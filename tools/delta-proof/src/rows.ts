/** Rows of every type, some null, with what is odd in each; all from a seed. */
import { rowSchema, t, type RowInput } from '@eos/core';
import { Random } from '@eos/simulation';
import { asBits, asDecimal, asHex, asJson, asText, type ShowColumns } from './shown-rows.js';

const COLUMNS = {
  id: t.int64(),
  place: t.string().nullable(),
  day: t.date().nullable(),
  flag: t.boolean().nullable(),
  small: t.int32().nullable(),
  big: t.int64().nullable(),
  ratio: t.float64().nullable(),
  price: t.decimal(9, 2).nullable(),
  amount: t.decimal(18, 6).nullable(),
  huge: t.decimal(38, 9).nullable(),
  name: t.string().nullable(),
  raw: t.bytes().nullable(),
  moment: t.timestamp().nullable(),
  document: t.json().nullable(),
  reference: t.uuid().nullable(),
};

export const allTypes = rowSchema(COLUMNS);
/** With a column that was not there at first. */
export const evolvedTypes = rowSchema({ ...COLUMNS, added: t.string().nullable() });
export type AllTypesRow = RowInput<typeof evolvedTypes>;

export const SHOW_ALL_TYPES: ShowColumns = {
  id: asText,
  place: asText,
  day: asText,
  flag: asText,
  small: asText,
  big: asText,
  ratio: asBits,
  price: asDecimal(2),
  amount: asDecimal(6),
  huge: asDecimal(9),
  name: asText,
  raw: asHex,
  moment: (value) => (value instanceof Date ? String(value.getTime() * 1000) : String(value)),
  document: asJson,
  reference: asText,
  added: asText,
};

const PLACES = [
  'Köln/1',
  'a=b&c?d#e',
  '100% of it',
  ' both ends ',
  'x:y',
  'null',
  '😀',
  '_',
  '.',
  '\\',
  "it's",
];
const NAMES = [
  '',
  'plain',
  'tab\tnew\nline',
  '"quoted" \\',
  'naïve – café',
  '日本語',
  '\u{10ffff}',
  'x'.repeat(500),
];
const RATIOS = [0, -0, Number.NaN, Infinity, -Infinity, 5e-324, Number.MAX_VALUE, 0.1, 1 / 3];
const BIGS = [2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n, 0n, -1n];
const MOMENTS = [0n, -1n, 1_700_000_000_123_456n, -62_135_596_800_000_000n, 253_402_300_799_999_999n];

export type MakeRow = (id: bigint, isEvolved?: boolean) => AllTypesRow;

/** A function that makes rows, each time others. */
export function rowMaker(random: Random): MakeRow {
  const orNull = <Value>(value: Value): Value | null => (random.chance(0.2) ? null : value);
  const digits = (count: number) => String(random.integer(0, 10 ** count - 1));
  const signed = (text: string) => (random.chance(0.5) ? text : `-${text}`);
  return (id, isEvolved = false) => ({
    id,
    place: orNull(random.pick(PLACES)),
    day: orNull(`${random.integer(1900, 2100)}-0${random.integer(1, 9)}-28`),
    flag: orNull(random.chance(0.5)),
    small: orNull(random.integer(-(2 ** 31), 2 ** 31 - 1)),
    big: orNull(random.chance(0.3) ? random.pick(BIGS) : BigInt(random.wide()) * 1_000n),
    ratio: orNull(random.chance(0.3) ? random.pick(RATIOS) : random.wide() / 7),
    price: orNull(signed(`${digits(7)}.${digits(2)}`)),
    amount: orNull(signed(`${digits(12)}.${digits(6)}`)),
    huge: orNull(signed(`${digits(9)}${digits(9)}${digits(9)}.${digits(9)}`)),
    name: orNull(random.pick(NAMES)),
    raw: orNull(Uint8Array.of(random.integer(0, 255), 0, 255).subarray(random.integer(0, 3))),
    moment: orNull(random.chance(0.3) ? random.pick(MOMENTS) : BigInt(random.wide()) * 20n),
    document: orNull({ id: Number(id % 1000n), list: [null, 'ä', random.integer(0, 99)] }),
    reference: orNull(`123e4567-e89b-12d3-a456-${digits(9).padStart(12, '0')}`),
    ...(isEvolved ? { added: orNull(`added ${digits(1)}`) } : {}),
  });
}
