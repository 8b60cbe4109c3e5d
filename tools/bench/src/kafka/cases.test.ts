import { describe, expect, test } from '@jest/globals';
import { KAFKA_CASES } from './cases.js';
import { RECORD_BYTES, recordOf } from './records.js';

/** Every name that a report is expected to have, so that none gets lost. */
const EXPECTED = [
  ...[1, 12].flatMap((partitions) =>
    [100, 1_000, 10_000, 100_000].map((size) => `kafka/copy/txn=${size}/partitions=${partitions}/vs-plain`),
  ),
  'kafka/copy/txn=100/partitions=1/vs-own-transactions',
  ...[10, 100, 1_000].flatMap((interval) =>
    ['p50', 'p99'].map((rank) => `kafka/latency/interval=${interval}ms/${rank}`),
  ),
  'kafka/to-postgres/upsert',
  'kafka/to-postgres/upsert/memory',
  'kafka/copy/profile',
  'kafka/to-postgres/upsert/profile',
  'kafka/recover',
  'kafka/copy/kill-to-first-commit',
  'kafka/copy/memory/peak',
  'kafka/copy/memory/growth',
];

describe('the cases of the suite kafka', () => {
  test('have names of their own, and none is missing', () => {
    const names = KAFKA_CASES.flatMap((part) => part.names);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining(EXPECTED));
  });

  test('records have the size that is said, and are JSON', () => {
    for (const index of [0, 7, 999_999, 1_000_001]) {
      const { value } = recordOf(index);
      expect(String(value)).toHaveLength(RECORD_BYTES);
      expect(JSON.parse(String(value))).toMatchObject({ id: index % 1_000_000 });
    }
  });
});
