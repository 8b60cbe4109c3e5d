import type { ConformanceRow } from './schema.js';

type Column = Exclude<keyof ConformanceRow, 'id'>;

const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte);
const microsecondsOf = (text: string) => BigInt(Date.parse(text)) * 1000n;

/** Values that every sink must keep exactly. */
export const EXTREME_VALUES: { readonly [Name in Column]: readonly ConformanceRow[Name][] } = {
  flag: [true, false],
  small: [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)],
  big: [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n, Number.MAX_SAFE_INTEGER, -7],
  ratio: [
    0,
    -0,
    NaN,
    Infinity,
    -Infinity,
    5e-324,
    Number.MAX_VALUE,
    Number.EPSILON,
    0.1,
    1 / 3,
    -(2 ** 53),
    1e21,
    1e-7,
  ],
  amount: [
    '0',
    '-0.5',
    '+1.5',
    '12.50',
    '0.000000001',
    '-0.000000001',
    '99999999999999999999999999999.999999999',
    '-99999999999999999999999999999.999999999',
    '9007199254740993',
  ],
  name: [
    '',
    ' ',
    '  both ends  ',
    'tab\tnewline\nreturn\rboth\r\nend\n',
    '\\',
    '\\N',
    '\\.',
    '\\n is no newline',
    `'single' "double" \`back\` $dollar$ %s ? :name @name --`,
    'null',
    'NULL',
    ',;|{}[]()',
    'ä ß ç 日本語 עברית',
    '😀 👩‍👩‍👧‍👦 \u{10ffff}',
    '\u2028\u2029\u0085\ufeff',
    '\u0001\u0008\u000b\u001f\u007f',
    'e\u0301 is not \u00e9',
    'long '.repeat(40_000),
  ],
  raw: [
    new Uint8Array(0),
    everyByte,
    Uint8Array.of(0),
    Uint8Array.from([...everyByte].reverse()),
    everyByte.subarray(65, 91),
    Uint8Array.from({ length: 100_000 }, (_, index) => (index * 7) % 256),
  ],
  day: ['1970-01-01', '2000-02-29', '0001-01-01', '9999-12-31', '1582-10-15'],
  moment: [
    0n,
    -1n,
    1n,
    1_700_000_000_123_456n,
    microsecondsOf('0001-01-01T00:00:00Z'),
    microsecondsOf('9999-12-31T23:59:59Z') + 999_999n,
    microsecondsOf('1969-12-31T23:59:59Z') + 999_999n,
    new Date('2024-02-29T12:34:56.789Z'),
    new Date(-1),
  ],
  document: [
    {},
    [],
    'text',
    '',
    0,
    -1.5,
    1e21,
    true,
    false,
    { nothing: null, list: [null, [], {}] },
    { 'ä "quoted" \\ \n': 'ö "quoted" \\ \n\t\u0001 😀' },
    { a: { b: { c: { d: { e: [1, [2, [3, [4]]]] } } } } },
    { 10: 'ten', 9: 'nine', b: 1, a: 2 },
    { long: 'x'.repeat(50_000) },
  ],
  reference: [
    '00000000-0000-0000-0000-000000000000',
    'ffffffff-ffff-ffff-ffff-ffffffffffff',
    '123e4567-e89b-12d3-a456-426614174000',
    '123E4567-E89B-12D3-A456-42661417400A',
  ],
};

/**
 * Values that some stores cannot hold, or that are no value of their column's type. A sink keeps them exactly or refuses them
 * with EOS_ROW; what it must not do is to keep something else.
 */
export const DOUBTFUL_VALUES: { readonly [Name in Column]?: readonly unknown[] } = {
  flag: ['true', 1],
  small: [2 ** 31, -(2 ** 31) - 1, 1.5, NaN, '12', 3n],
  big: [2n ** 63n, -(2n ** 63n) - 1n, 1.5, NaN, 2 ** 64],
  ratio: ['1.5', 7n],
  amount: ['0.0000000001', '100000000000000000000000000000', '1e3', '', 'x', 'NaN', 1.5],
  name: ['a\u0000b', '\ud800', 'lone \udc00 surrogate', 12, { a: 1 }],
  raw: ['text', [1, 2, 3]],
  day: ['2024-02-30', '2023-02-29', 'x', '20240101', ''],
  moment: [2n ** 63n - 1n, -(2n ** 63n), new Date(NaN), 'x', 1.5],
  document: [{ text: 'a\u0000b' }, { 'a\u0000': 1 }, { text: '\udfff' }],
  reference: ['x', '', '123e4567-e89b-12d3-a456-42661417400', '123e4567-e89b-12d3-a456-42661417400g'],
};
