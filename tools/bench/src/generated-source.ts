/** Any number of rows without holding them: each is made when it is read, always the same for its offset. */
import type { Source, SourceBatch } from '@eos/core';
import { makeRows, type BenchRow } from './rows.js';

/** The values repeat after so many rows; the key does not. */
const POOL_ROWS = 10_000;
/** What a source that reads a file might hand out at a time. */
const BATCH_ROWS = 1_000;
const BYTES_A_ROW = 100;

export function generatedSource(total: number): Source<BenchRow> {
  const pool = makeRows(POOL_ROWS);
  const identity = async () => ({ kind: 'generated' });
  const batch = (start: number, count: number): SourceBatch<BenchRow> => {
    const rows = Array.from({ length: count }, (_, index) => generatedRow(pool, start + index));
    const offsets = BigInt64Array.from(rows, (row) => BigInt(row.id) - 1n);
    return {
      partition: '0',
      rows,
      offsets,
      next: BigInt(start + count),
      bytes: count * BYTES_A_ROW,
      identity,
    };
  };
  return {
    description: `${total} generated rows`,
    changelog: 'append',
    replayable: true,
    async *assignments() {
      yield {
        partitions: ['0'],
        open: async (positions) => {
          let next = Number(positions.get('0')?.offset ?? 0n);
          return {
            read: async (limit) => {
              if (next >= total) return undefined;
              const start = next;
              next = Math.min(start + Math.min(limit.rows, BATCH_ROWS), total);
              return batch(start, next - start);
            },
            close: async () => {},
          };
        },
      };
    },
  };
}

function generatedRow(pool: readonly BenchRow[], offset: number): BenchRow {
  const model = pool[offset % pool.length];
  if (model === undefined) throw new RangeError('the pool has no rows');
  const { name, amount, quantity, happened_at, note } = model;
  return { id: BigInt(offset + 1), name, amount, quantity, happened_at, note };
}
