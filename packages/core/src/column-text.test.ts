import { describe, expect, test } from '@jest/globals';
import { COLUMNS_SCHEMA, rowSchemaOf } from './column-text.js';
import { rowSchema, t } from './schema.js';

/** Types alone: columns are compared without the function that makes them nullable. */
function typesOf({ columns }: ReturnType<typeof rowSchemaOf>) {
  return Object.entries(columns).map(([name, { type, isNullable }]) => [name, type, isNullable]);
}

describe('columns as text', () => {
  test('every kind, null or not, with and without precision', () => {
    const read = rowSchemaOf({
      a: 'boolean',
      b: 'int32?',
      c: 'int64',
      d: 'float64',
      e: 'decimal',
      f: 'decimal(12, 2)?',
      g: 'decimal(5)',
      h: 'string?',
      i: 'bytes',
      j: 'date',
      k: 'timestamp?',
      l: 'json',
      m: 'uuid',
    });
    const written = rowSchema({
      a: t.boolean(),
      b: t.int32().nullable(),
      c: t.int64(),
      d: t.float64(),
      e: t.decimal(),
      f: t.decimal(12, 2).nullable(),
      g: t.decimal(5),
      h: t.string().nullable(),
      i: t.bytes(),
      j: t.date(),
      k: t.timestamp().nullable(),
      l: t.json(),
      m: t.uuid(),
    });
    expect(typesOf(read)).toEqual(typesOf(written));
  });

  test.each([
    'int',
    'int64??',
    'int64(3)',
    'decimal()',
    'decimal(1,2,3)',
    'constructor',
    '',
    'string ?x',
    7,
    null,
    ['int64'],
  ])('%j is no type, and the error names column and option', (text) => {
    expect(() => rowSchemaOf({ id: text })).toThrow(
      expect.objectContaining({ code: 'EOS_CONFIG', details: { option: 'schema', column: 'id' } }),
    );
  });

  test.each([[[]], ['int64'], [null], [{}]])('%j is no map of columns', (columns) => {
    expect(() => rowSchemaOf(columns)).toThrow(expect.objectContaining({ code: 'EOS_CONFIG' }));
  });

  test('the JSON schema takes what is read, and no more', () => {
    const { additionalProperties } = COLUMNS_SCHEMA;
    const { anyOf = [] } = typeof additionalProperties === 'object' ? additionalProperties : {};
    const takes = (text: string) =>
      anyOf.some(
        ({ enum: names, pattern }) =>
          names?.includes(text) === true || (pattern !== undefined && new RegExp(pattern, 'u').test(text)),
      );
    for (const text of ['int64', 'string?', 'decimal', 'decimal(12,2)', 'decimal (12, 2)?', 'decimal(5)?'])
      expect([text, takes(text)]).toEqual([text, true]);
    for (const text of ['int', 'int64??', 'int64(3)', 'decimal()', 'decimal(1,2,3)', ''])
      expect([text, takes(text)]).toEqual([text, false]);
  });
});
