import { expect, test } from '@jest/globals';
import { parseExactJson } from './exact-json.js';

test.each([
  ['9223372036854775807', 9223372036854775807n],
  ['-9223372036854775808', -9223372036854775808n],
  ['9007199254740991', 9007199254740991],
  ['9007199254740993', 9007199254740993n],
  ['[1, "9007199254740993", 9007199254740993]', [1, '9007199254740993', 9007199254740993n]],
  [
    '{"a":{"b":9007199254740993,"c":1e300},"d":"\\"9007199254740993"}',
    { a: { b: 9007199254740993n, c: 1e300 }, d: '"9007199254740993' },
  ],
  ['0.1234567890123456789', 0.12345678901234568],
  ['null', null],
])('%s', (text, value) => {
  expect(parseExactJson(text)).toEqual(value);
});

test('long numbers are what the caller makes of their text, and texts stay what they are', () => {
  const text = '{"a":12345678901234567890.5,"b":"12345678901234567890.5","c":1.5}';
  expect(parseExactJson(text, (token) => [token])).toEqual({
    a: ['12345678901234567890.5'],
    b: '12345678901234567890.5',
    c: 1.5,
  });
});

test('a name that JavaScript knows is a name', () => {
  const value = parseExactJson('{"__proto__":9007199254740993}');
  expect(Object.entries(value as object)).toEqual([['__proto__', 9007199254740993n]]);
});

test('what is no JSON is told', () => {
  expect(() => parseExactJson('{"a":')).toThrow(SyntaxError);
});
