/** Rows that lie in memory as a source: nothing is parsed, so that a case measures what comes behind. */
import type { Source, SourceBatch } from '@eos/core';

export function memorySource<Row>(rows: readonly Row[], ops?: Uint8Array): Source<Row> {
  const offsets = BigInt64Array.from({ length: rows.length }, (_, index) => BigInt(index));
  const identity = async () => ({ rows: rows.length });
  const batch = (start: number, end: number): SourceBatch<Row> => ({
    partition: '0',
    rows: rows.slice(start, end),
    offsets: offsets.subarray(start, end),
    ...(ops === undefined ? {} : { ops: ops.subarray(start, end) }),
    next: BigInt(end),
    bytes: 0,
    identity,
  });
  return {
    description: 'rows in memory',
    changelog: ops === undefined ? 'append' : 'upsert',
    replayable: true,
    async *assignments() {
      yield {
        partitions: ['0'],
        open: async (positions) => {
          let next = Number(positions.get('0')?.offset ?? 0n);
          return {
            read: async (limit) => {
              if (next >= rows.length) return undefined;
              const start = next;
              next = Math.min(start + limit.rows, rows.length);
              return batch(start, next);
            },
            close: async () => {},
          };
        },
      };
    },
  };
}
