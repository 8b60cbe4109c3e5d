import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Partitioners } from 'kafkajs';
import { bytesColumn } from '../client/records.js';
import { murmur2, partitionsByFunction, partitionsByKey } from './partitioner.js';

test.each([
  // From UtilsTest of Apache Kafka.
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
])('the hash of %s is that of the Java client', (text, hash) => {
  expect(murmur2(Buffer.from(text))).toBe(hash);
});

test('equal keys land where another client puts them', () => {
  const partitionMetadata = Array.from({ length: 12 }, (_, partitionId) => ({
    partitionId,
    leader: 1,
    partitionErrorCode: 0,
    replicas: [],
    isr: [],
  }));
  const other = Partitioners.DefaultPartitioner();
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1 }), (keys) => {
      const buffers = keys.map((key) => Buffer.from(key));
      const expected = buffers.map((key) =>
        other({ topic: 't', partitionMetadata, message: { key, value: null } }),
      );
      const chosen = partitionsByKey(bytesColumn(buffers), keys.length, 12, 5);
      expect([...(typeof chosen === 'number' ? [] : chosen)]).toEqual(expected);
    }),
  );
});

test('records without a key go to one partition of a batch', () => {
  expect(partitionsByKey(undefined, 3, 12, 17)).toBe(5);
  const chosen = partitionsByKey(bytesColumn([null, 'foobar', null]), 3, 12, 17);
  expect(chosen).toEqual(Int32Array.of(5, (-790332482 & 0x7fffffff) % 12, 5));
});

test('a partitioner of the user sees key, row and topic, and must name a partition', () => {
  const records = { keys: bytesColumn(['a', null]), rows: [{ id: 4 }, { id: 1 }] };
  const byId = ({ row, partitions }: { row: { id: number }; partitions: number }) => row.id % partitions;
  expect(partitionsByFunction(byId, records, 'orders', 3)).toEqual(Int32Array.of(1, 1));
  expect(() => partitionsByFunction(() => 3, records, 'orders', 3)).toThrow(
    expect.objectContaining({ code: 'EOS_CONFIG', details: { option: 'partitioner' } }),
  );
});
