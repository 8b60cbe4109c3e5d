/**
 * Every type of the manual's chapter on data types: values with the SQL that means the same, values that must be refused, and what each
 * mode makes of a column. https://www.postgresql.org/docs/current/datatype.html
 */
import { t } from '@eos/core';
import { textValue, type HeldType, type Value } from './held-type.testing.js';
import { COMPOUNDS, SHAPES, SYSTEM } from './types-compound.testing.js';

/** What the columns below are made of. */
export const DEFINITIONS = `
  CREATE TYPE mood AS ENUM ('sad', 'it''s "so" \\ so');
  CREATE TYPE pair AS (number int, name text);
  CREATE TYPE floats AS RANGE (subtype = float8);
  CREATE DOMAIN positive AS int CHECK (VALUE > 0);
  CREATE DOMAIN tiny AS positive CHECK (VALUE < 10);
  CREATE DOMAIN price AS numeric(6, 2) NOT NULL;
  CREATE DOMAIN codes AS text[] CHECK (cardinality(VALUE) < 3);`;

const LONG = '9'.repeat(131_072);
const LATEST = 2n ** 63n - 1n;
const EARLIEST = -210_866_803_200_000_000n;

const json = (value: unknown): Value => [value, `'${JSON.stringify(value).replaceAll("'", "''")}'`];
const integers = (least: number, most: number): readonly Value[] => [
  [least, `${least}`],
  [most, `${most}`],
  [0, '0'],
];
const instants = (zone: string): readonly Value[] => [
  [0n, `'1970-01-01 00:00:00${zone}'`],
  [-1n, `'1969-12-31 23:59:59.999999${zone}'`],
  [new Date('2024-02-29T12:34:56.789Z'), `'2024-02-29 12:34:56.789${zone}'`],
  [new Date(8.64e15), `'275760-09-13 00:00:00${zone}'`],
  [EARLIEST, `'4714-11-24 00:00:00${zone} BC'`],
  [LATEST, `'294247-01-10 04:00:54.775807${zone}'`],
];
const INFINITIES: readonly Value[] = [
  'infinity',
  '-infinity',
  [Infinity, `'infinity'`],
  [-Infinity, `'-infinity'`],
];
const NO_INSTANTS = [0, '2024-01-01', new Date(NaN), new Date(-8.64e15), EARLIEST - 1n];
const floats: readonly Value[] = [
  [-0, `'-0'`],
  [NaN, `'NaN'`],
  [Infinity, `'Infinity'`],
  [-Infinity, `'-Infinity'`],
  [1.5, '1.5'],
];

const NUMBERS: readonly HeldType[] = [
  {
    type: 'smallint',
    values: integers(-32_768, 32_767),
    refused: [32_768, 1.5, '1', 1n],
    isKey: true,
    column: undefined,
  },
  {
    type: 'integer',
    values: integers(-(2 ** 31), 2 ** 31 - 1),
    refused: [2 ** 31, NaN],
    isKey: true,
    column: t.int32(),
  },
  {
    type: 'bigint',
    values: [
      [-(2n ** 63n), '-9223372036854775808'],
      [2n ** 63n - 1n, '9223372036854775807'],
      [5, '5'],
    ],
    refused: [2n ** 63n, 2 ** 53, 0.5],
    isKey: true,
    column: t.int64(),
  },
  {
    type: 'numeric',
    values: ['-0.00000000000000000001', '+01.50', '.5', '-0', LONG, `${LONG}.${LONG.slice(0, 16_383)}`],
    native: ['NaN', 'Infinity', '-Infinity'],
    refused: ['1e5', 5, '', ' 1', `${LONG}9`],
    isKey: true,
    column: t.decimal(),
  },
  {
    type: 'numeric(10,2)',
    values: ['12345678.90', '-0.01', '1.2300'],
    native: ['NaN'],
    refused: ['0.001', '123456789', 'Infinity'],
    isKey: true,
    column: t.decimal(10, 2),
  },
  {
    type: 'numeric(3,-2)',
    values: ['12300', '-99900', '0'],
    refused: ['12345', '100000', 100],
    isKey: true,
    column: t.decimal(),
  },
  {
    type: 'real',
    values: [...floats, [0.1, '0.1'], [3.4028234663852886e38, `'3.4028235e38'`]],
    refused: [1 / 3, 1e39, '1'],
    column: undefined,
  },
  {
    type: 'double precision',
    values: [
      ...floats,
      [1 / 3, '0.3333333333333333'],
      [5e-324, `'5e-324'`],
      [Number.MAX_VALUE, `'1.7976931348623157e308'`],
    ],
    refused: ['1.5', 1n],
    isKey: true,
    column: t.float64(),
  },
  {
    type: 'smallserial',
    values: [[7, '7']],
    refused: [null],
    isKey: true,
    isRequired: true,
    column: undefined,
  },
  { type: 'serial', values: [[7, '7']], refused: [null], isKey: true, isRequired: true, column: t.int32() },
  {
    type: 'bigserial',
    values: [[7n, '7']],
    refused: [null],
    isKey: true,
    isRequired: true,
    column: t.int64(),
  },
  { type: 'money', values: ['$1,234.56', '-92233720368547758.08'], refused: ['much', 5] },
];

const TEXTS: readonly HeldType[] = [
  {
    type: 'text',
    values: ['', '\\N', '\\.', 'tab\tline\nreturn\rback\\slash', `it's "so"`, '😀 é e\u0301'].map(textValue),
    refused: ['a\0b', '\ud800', 'a\udc00', 5],
    isKey: true,
    column: t.string(),
  },
  { type: 'varchar(5)', values: ['abcde', 'ä😀😀😀😀', ' '], refused: ['abcdef', 'abcde '], isKey: true },
  { type: 'varchar', values: ['x'.repeat(300)], isKey: true },
  { type: 'char(5)', values: ['ab', 'abcde', 'ab ', ''], refused: ['abcdef'], isKey: true },
  { type: 'name', values: ['n'.repeat(63)], refused: ['n'.repeat(64)] },
  { type: '"char"', values: ['a', ''], refused: ['ab'] },
  {
    type: 'bytea',
    values: [
      [Uint8Array.of(), `'\\x'`],
      [Uint8Array.of(0, 255, 92, 10, 9), `'\\x00ff5c0a09'`],
    ],
    refused: ['\\x00', [0]],
    isKey: true,
    column: t.bytes(),
  },
  { type: 'mood', values: ['sad', textValue(`it's "so" \\ so`)], refused: ['glad', 'Sad', ''], isKey: true },
  {
    type: 'uuid',
    values: ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A12'],
    refused: ['a0ee'],
    isKey: true,
    column: t.uuid(),
  },
  { type: 'xml', values: ['<a b="c">&amp;</a>'], refused: ['<a'], hasEquality: false },
  {
    type: 'json',
    values: [json({ b: [1, null, 'x"\\\n\u0007'], a: {} }), json('text'), json(1e300), json(true), json([])],
    refused: [1n, NaN, '\0', '\ud800', { a: '\udc00' }],
    column: t.json(),
  },
  {
    type: 'jsonb',
    values: [json({ b: [1, null, `it's "\\u0041"`], a: { a: {} } }), json('\\'), json(-1.5e-7), json(false)],
    refused: [1n, { a: [Infinity] }, { '\0': 1 }, '\udfff'],
    column: t.json(),
  },
  { type: 'jsonpath', values: [`$."a"[*]?(@ > 1)`], refused: ['$$$'], hasEquality: false },
  { type: 'tsvector', values: ["'fat':2 'rat':3A", `'it''s' '\\\\'`].map(textValue), refused: ["'"] },
  { type: 'tsquery', values: ["'fat' & ( 'rat' | !'cat' )", ''].map(textValue), refused: ['a &'] },
];

const TIMES: readonly HeldType[] = [
  {
    type: 'timestamp',
    values: instants(''),
    native: INFINITIES,
    refused: NO_INSTANTS,
    isKey: true,
    column: t.timestamp(),
  },
  {
    type: 'timestamptz',
    values: instants('+00'),
    native: INFINITIES,
    refused: NO_INSTANTS,
    isKey: true,
    column: t.timestamp(),
  },
  {
    type: 'timestamp(3)',
    values: [[1000n, `'1970-01-01 00:00:00.001'`]],
    refused: [1n],
    isKey: true,
    column: t.timestamp(),
  },
  {
    type: 'date',
    values: ['2024-02-29', '0001-01-01', '9999-12-31'],
    native: ['4714-11-24 BC', '5874897-12-31', ...INFINITIES],
    refused: ['2023-02-29', '0000-01-01', '5874898-01-01', '2024-1-1', new Date(0)],
    isKey: true,
    column: t.date(),
  },
  { type: 'time', values: ['00:00:00', '24:00:00', '23:59:59.999999'], refused: ['25:00', 5] },
  { type: 'time(0)', values: ['12:00:01'] },
  { type: 'timetz', values: ['12:34:56.789-05:30', '00:00:00+15:59'], refused: ['noon'] },
  {
    type: 'interval',
    values: ['1 year 2 mons -3 days 04:05:06.789', 'P1Y2M3DT4H5M6S', '-178000000 years', '@ 1 minute ago'],
    refused: ['much', 5],
  },
  { type: 'interval day to second(3)', values: ['3 days 04:05:06.789'] },
];

export const TYPES: readonly HeldType[] = [
  ...NUMBERS,
  ...TEXTS,
  ...TIMES,
  ...SHAPES,
  ...COMPOUNDS,
  ...SYSTEM,
];
