import { describe, expect, test } from '@jest/globals';
import { eosPackage } from './index.js';

const connection = { brokers: ['127.0.0.1:9092'] };
const context = { folder: '/' };
const common = { connection, topic: 'orders', schema: { id: 'int64', note: 'string?' } };

describe('a file of configuration', () => {
  test.each([
    [{}, 'append'],
    [{ mode: 'upsert', key: ['id'] }, 'upsert'],
    [{ format: 'debezium', key: ['id'] }, 'retract'],
    [{ format: 'debezium', key: ['id'], mode: 'upsert', from: { 'orders/0': '9007199254740993' } }, 'upsert'],
    [{ until: 'end', groupId: false, unreadable: 'skip' }, 'append'],
  ])('makes a source of %j', (options, changelog) => {
    const source = eosPackage.sources?.['kafka']?.create({ ...common, ...options }, context);
    expect(source).toMatchObject({ changelog, description: 'kafka orders', replayable: true });
  });

  test.each([
    [{}, 'append'],
    [{ mode: 'upsert', key: ['id'], keyForm: 'text', int64: 'string' }, 'upsert'],
    [
      { format: 'debezium', key: ['id'], tombstones: false, create: { partitions: 3 }, compression: 'gzip' },
      'retract',
    ],
  ])('makes a sink of %j', (options, changelog) => {
    const sink = eosPackage.sinks?.['kafka']?.create({ ...common, ...options }, context);
    expect(sink).toMatchObject({ capabilities: { changelog } });
  });

  test.each([
    [{ mode: 'upsert' }, 'key'],
    [{ mode: 'retract' }, 'mode'],
    [{ format: 'debezium', mode: 'append' }, 'mode'],
    [{ from: { other: '1' } }, 'from'],
    [{ topic: 'no topic' }, 'topic'],
    [{ schema: { id: 'number' } }, 'schema'],
  ])('is told what is wrong with %j', (options, option) => {
    expect(() => eosPackage.sources?.['kafka']?.create({ ...common, ...options }, context)).toThrow(
      expect.objectContaining({ code: 'EOS_CONFIG', details: expect.objectContaining({ option }) }),
    );
  });
});
