import { describe, expect, test } from '@jest/globals';
import type { Metadata, Protocol } from './actions.js';
import { checkReadable, checkWritable } from './protocol.js';

const SCHEMA = '{"type":"struct","fields":[{"name":"id","type":"long","nullable":true,"metadata":{}}]}';

function metadata(changes: Partial<Metadata> = {}): Metadata {
  return {
    id: 'table',
    provider: 'parquet',
    formatOptions: {},
    schemaString: SCHEMA,
    partitionColumns: [],
    configuration: {},
    ...changes,
  };
}

function withColumn(metadataOfColumn: object, type: unknown = 'long'): Metadata {
  const field = { name: 'price', type, nullable: true, metadata: metadataOfColumn };
  return metadata({ schemaString: JSON.stringify({ type: 'struct', fields: [field] }) });
}

const OLD: Protocol = { minReaderVersion: 1, minWriterVersion: 2 };

function features(...names: string[]): Protocol {
  return { minReaderVersion: 3, minWriterVersion: 7, readerFeatures: names, writerFeatures: names };
}

function failure(call: () => void): unknown {
  try {
    call();
    return 'accepted';
  } catch (error) {
    return error;
  }
}

describe('tables that are written to', () => {
  test.each<[string, Protocol, Metadata]>([
    ['the oldest', { minReaderVersion: 1, minWriterVersion: 1 }, metadata()],
    ['(1, 2)', OLD, metadata()],
    ['(2, 6), which uses nothing of it', { minReaderVersion: 2, minWriterVersion: 6 }, metadata()],
    ['deletion vectors', features('deletionVectors', 'timestampNtz'), metadata()],
    ['column mapping that is not used', features('columnMapping'), metadata()],
    [
      'features that only say what may be',
      { ...features(), writerFeatures: ['checkConstraints', 'domainMetadata'] },
      metadata(),
    ],
  ])('%s', (_, protocol, table) => {
    expect(failure(() => checkWritable(protocol, table))).toBe('accepted');
  });
});

describe('tables that are refused by name before anything is written', () => {
  test.each<[string, Protocol, Metadata, object]>([
    ['v2Checkpoint', features('v2Checkpoint'), metadata(), { feature: 'v2Checkpoint' }],
    ['a feature of tomorrow', features('quantum'), metadata(), { feature: 'quantum' }],
    [
      'a writer feature',
      { ...features(), writerFeatures: ['rowTracking'] },
      metadata(),
      { feature: 'rowTracking' },
    ],
    ['a later writer version', { minReaderVersion: 3, minWriterVersion: 8 }, metadata(), {}],
    ['a later reader version', { minReaderVersion: 4, minWriterVersion: 7 }, metadata(), {}],
    [
      'a constraint',
      { minReaderVersion: 1, minWriterVersion: 3 },
      metadata({ configuration: { 'delta.constraints.positive': 'price > 0' } }),
      { feature: 'checkConstraints', constraint: 'positive' },
    ],
    [
      'an invariant',
      OLD,
      withColumn({ 'delta.invariants': '{}' }),
      { feature: 'invariants', column: 'price' },
    ],
    [
      'a generated column',
      { minReaderVersion: 1, minWriterVersion: 4 },
      withColumn({ 'delta.generationExpression': 'id + 1' }),
      { feature: 'generatedColumns', column: 'price' },
    ],
    [
      'an identity column',
      { minReaderVersion: 1, minWriterVersion: 6 },
      withColumn({ 'delta.identity.start': 1 }),
      { feature: 'identityColumns', column: 'price' },
    ],
    [
      'a rule within a struct of a list',
      OLD,
      withColumn(
        {},
        {
          type: 'array',
          containsNull: true,
          elementType: {
            type: 'struct',
            fields: [{ name: 'inner', type: 'long', nullable: true, metadata: { 'delta.invariants': '{}' } }],
          },
        },
      ),
      { feature: 'invariants', column: 'inner' },
    ],
    [
      'column mapping',
      { minReaderVersion: 2, minWriterVersion: 5 },
      metadata({ configuration: { 'delta.columnMapping.mode': 'name' } }),
      { feature: 'columnMapping' },
    ],
    ['a type of tomorrow', OLD, withColumn({}, 'variant'), { column: 'price', type: 'variant' }],
    ['files that are no Parquet', OLD, metadata({ provider: 'orc' }), {}],
  ])('%s', (_, protocol, table, details) => {
    expect(failure(() => checkWritable(protocol, table))).toMatchObject({ code: 'EOS_SCHEMA', details });
  });
});

test('what only a writer must heed is read all the same', () => {
  const table = metadata({ configuration: { 'delta.constraints.positive': 'price > 0' } });
  expect(failure(() => checkReadable({ minReaderVersion: 1, minWriterVersion: 7 }, table))).toBe('accepted');
});
