import { rowSchema, t, type Columns } from '@eos/core';
import { describe, expect, test } from '@jest/globals';
import { parseTableSchema, schemaText } from './delta-schema.js';
import { deltaSchemaOf, rowSchemaOfTable } from './eos-columns.js';
import { dataFields } from './parquet-fields.js';

/** As Spark writes it. */
const NESTED = JSON.stringify({
  type: 'struct',
  fields: [
    { name: 'id', type: 'long', nullable: false, metadata: { comment: 'the key' } },
    { name: 'price', type: 'decimal(10,2)', nullable: true, metadata: {} },
    { name: 'gone', type: 'void', nullable: true, metadata: {} },
    {
      name: 'tags',
      type: { type: 'array', elementType: 'string', containsNull: false },
      nullable: true,
      metadata: {},
    },
    {
      name: 'places',
      type: {
        type: 'map',
        keyType: 'string',
        valueType: {
          type: 'struct',
          fields: [{ name: 'at', type: 'timestamp_ntz', nullable: true, metadata: {} }],
        },
        valueContainsNull: true,
      },
      nullable: true,
      metadata: {},
    },
  ],
});

describe('the schema of a table', () => {
  test('is read and written again as it was, with metadata that is not ours', () => {
    expect(JSON.parse(schemaText(parseTableSchema(NESTED)))).toEqual(JSON.parse(NESTED));
  });

  test('gives the fields of its files: nested, without what is never written and what the log has', () => {
    expect(dataFields(parseTableSchema(NESTED).fields, ['price'])).toEqual([
      { name: 'id', type: { kind: 'int64' }, isNullable: false },
      {
        name: 'tags',
        type: { kind: 'list', element: { type: { kind: 'string' }, isNullable: false } },
        isNullable: true,
      },
      {
        name: 'places',
        type: {
          kind: 'map',
          key: { kind: 'string' },
          value: {
            type: {
              kind: 'struct',
              fields: [{ name: 'at', type: { kind: 'timestamp', isUtc: false }, isNullable: true }],
            },
            isNullable: true,
          },
        },
        isNullable: true,
      },
    ]);
  });

  test.each([
    ['no JSON', '{"type"', 'EOS_FORMAT'],
    ['no struct', '{"type":"array"}', 'EOS_FORMAT'],
    ['a field without a type', '{"type":"struct","fields":[{"name":"id"}]}', 'EOS_FORMAT'],
    ['a type of tomorrow', '{"type":"struct","fields":[{"name":"id","type":"variant"}]}', 'EOS_SCHEMA'],
    [
      'a nested type of tomorrow',
      '{"type":"struct","fields":[{"name":"id","type":{"type":"bag"}}]}',
      'EOS_SCHEMA',
    ],
  ])('that is %s is refused', (_, text, code) => {
    expect(() => parseTableSchema(text)).toThrow(expect.objectContaining({ code }));
  });
});

describe('rows of Eos', () => {
  const schema = rowSchema({
    flag: t.boolean(),
    small: t.int32().nullable(),
    big: t.int64(),
    ratio: t.float64(),
    amount: t.decimal(38, 9).nullable(),
    name: t.string(),
    raw: t.bytes(),
    day: t.date(),
    moment: t.timestamp().nullable(),
    document: t.json().nullable(),
    reference: t.uuid(),
  });

  test('of every type have a column, and come back from it as they were', () => {
    const found = rowSchemaOfTable(parseTableSchema(schemaText(deltaSchemaOf(schema))));
    expect(found?.names).toEqual(schema.names);
    for (const name of schema.names) {
      const columns: Columns = schema.columns;
      const [expected, column] = [columns[name], found?.columns[name]];
      expect({ type: column?.type, isNullable: column?.isNullable }).toEqual({
        type: expected?.type,
        isNullable: expected?.isNullable,
      });
    }
  });

  test('have no type for a list or a struct', () => {
    expect(rowSchemaOfTable(parseTableSchema(NESTED))).toBeUndefined();
  });

  test.each([
    ['a decimal of any precision', rowSchema({ amount: t.decimal() })],
    ['a decimal of more digits than there can be', rowSchema({ amount: t.decimal(39, 2) })],
    ['names that differ in case only', rowSchema({ name: t.string(), Name: t.string() })],
  ])('with %s are refused', (_, refused) => {
    expect(() => deltaSchemaOf(refused)).toThrow(expect.objectContaining({ code: 'EOS_CONFIG' }));
  });
});
