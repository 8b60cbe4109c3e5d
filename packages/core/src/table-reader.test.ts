import { expect, test } from '@jest/globals';
import { lineFields } from './table-reader.js';

test('the fields of a line are unescaped, and a null is told from a text', () => {
  const fields = (line: string) => lineFields(Buffer.from(line));
  expect(fields('')).toEqual(['']);
  expect(fields('a\t\tc')).toEqual(['a', '', 'c']);
  expect(fields('\\N\t\\\\N\tN')).toEqual([null, '\\N', 'N']);
  expect(fields('\\t\\n\\r\\b\\f\\v\\\\t')).toEqual(['\t\n\r\b\f\v\\t']);
  expect(fields('é😀')).toEqual(['é😀']);
});
