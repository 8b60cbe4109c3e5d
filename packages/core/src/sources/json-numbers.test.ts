import { describe, expect, test } from '@jest/globals';
import { rowSchema, t } from '../schema.js';
import { isExact, longNumbers } from './json-numbers.js';
import { csvSource, jsonArraySource, ndjsonSource } from './index.js';
import { expectError, readText, type MakeSource } from './reading.testing.js';

test.each([
  ['9007199254740992', true],
  ['9007199254740993', false],
  ['-9007199254740993', false],
  ['9007199254740991.4', false],
  ['12345678901234567', false],
  ['1000000000000000000000000', true],
  ['1.0000000000000000', true],
  ['0.10000000000000001', true],
  ['0.016666666666666666', true],
  ['0.1234567890123456789', false],
  ['0.0000000000000000000', true],
  ['1.7976931348623157e308', true],
  ['1e400', false],
  ['1e-400', false],
  ['0e999', true],
])('whether the double of %s stands for it: %s', (token, expected) => {
  expect(isExact(token)).toBe(expected);
});

test.each([
  ['{"id":9007199254740993}', ['9007199254740993']],
  [
    '{"id":"9007199254740993","a":"\\"9007199254740993","b":"\\\\","c":-9007199254740993}',
    ['-9007199254740993'],
  ],
  [
    '[1234567890.1234567,1,"1234567890.1234567",1.000000000000001e-4,12]',
    ['1234567890.1234567', '1.000000000000001e-4'],
  ],
  ['{"1234567890123456":123456789012345}', []],
])('the long numbers of %s', (text, expected) => {
  const found = longNumbers(text);
  expect(found.map((number) => number.text)).toEqual(expected);
  for (const { text: token, start } of found) expect(text.startsWith(token, start)).toBe(true);
});

const schema = rowSchema({
  id: t.int64().nullable(),
  price: t.decimal().nullable(),
  ratio: t.float64().nullable(),
  note: t.string().nullable(),
  small: t.int32().nullable(),
  tree: t.json().nullable(),
});
const typed: MakeSource = (options) => ndjsonSource({ ...options, schema });
const empty = { id: null, price: null, ratio: null, note: null, small: null, tree: null };

describe('a number that JSON.parse would change', () => {
  test('is exact in a column of int64 or decimal, and rounded in one of float64', async () => {
    const text =
      '{"id":9007199254740993,"price":0.1234567890123456789,"ratio":0.1234567890123456789,"other":9007199254740993}\n' +
      '{"id":-9223372036854775808,"price":-12345678901234567.50}\n{"id":123456789012345680}\n';
    const expected = [
      { ...empty, id: 9007199254740993n, price: '0.1234567890123456789', ratio: 0.12345678901234568 },
      { ...empty, id: -9223372036854775808n, price: '-12345678901234567.50' },
      { ...empty, id: 123456789012345680n },
    ];
    expect(await readText(typed, text)).toEqual(expected);
    const array = `[${text.trim().split('\n').join(',')}]`;
    expect(await readText((options) => jsonArraySource({ ...options, schema }), array)).toEqual(expected);
  });

  test.each([
    { member: '"id":9007199254740991.4', message: /column id: "9007199254740991.4" is no int64/ },
    { member: '"id":9223372036854775808', message: /column id: "9223372036854775808" is no int64/ },
    { member: '"small":3.00000000000000001', message: /column small: "3.00000000000000001" is no int32/ },
    { member: '"note":9007199254740993', message: /column note: 9007199254740992 is no string/ },
    {
      member: '"tree":{"a":["1",9007199254740993]}',
      message: /column tree: the number 9007199254740993 would be/,
    },
  ])('is refused where the column cannot hold it: $member', async ({ member, message }) => {
    await expectError(typed, `{"id":1}\n{${member}}\n`, 9, message);
  });

  test('is refused without a schema, and in JSON of a CSV field', async () => {
    const message = /the number 9007199254740993 would be changed.*schema/;
    await expectError(ndjsonSource, '{"id":1}\n{"id":9007199254740993}\n', 9, message);
    await expectError(jsonArraySource, '[1,{"a":[9007199254740993]}]', 3, message);
    const tree = rowSchema({ tree: t.json() });
    await expectError(
      (options) => csvSource({ ...options, schema: tree, delimiter: ';' }),
      'tree\n[1]\n[9007199254740993]\n',
      9,
      message,
    );
  });

  test('as a string, or as a double that is written long, is none', async () => {
    const text =
      '{"id":"9007199254740993","a":0.10000000000000001,"tree":[9007199254740992,"9007199254740993"]}\n';
    const tree = [9007199254740992, '9007199254740993'];
    expect(await readText(ndjsonSource, text)).toEqual([{ id: '9007199254740993', a: 0.1, tree }]);
    expect(await readText(typed, text)).toEqual([{ ...empty, id: 9007199254740993n, tree }]);
  });
});
