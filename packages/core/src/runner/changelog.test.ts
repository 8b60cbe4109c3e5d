import { describe, expect, test } from '@jest/globals';
import {
  memorySink,
  memoryStore,
  pipeline,
  type Assignment,
  type MemoryStore,
  type Source,
} from '../index.js';
import { failureOf, sourceOf, type Row } from './numbers.testing.js';

describe('a transform', () => {
  test('that forgets the ops is refused, unless it declares inserts only', async () => {
    const rows = [{ id: 1 }, { id: 1 }];
    const assignment: Assignment<Row> = {
      partitions: ['0'],
      open: async () => {
        const batches = [
          {
            partition: '0',
            rows,
            ops: Uint8Array.of(0, 3),
            offsets: BigInt64Array.of(0n, 1n),
            next: 2n,
            bytes: 2,
            identity: async () => ({}),
          },
        ];
        return { read: async () => batches.shift(), close: async () => {} };
      },
    };
    const source = { ...sourceOf([assignment]), changelog: 'retract' as const };
    const store = memoryStore<Row>({ mode: 'upsert', key: ['id'] });
    for (const transform of [() => rows, () => ({ rows })]) {
      const failure = await failureOf(
        pipeline({ id: 'p', source, transform, sinks: { m: memorySink(store) } }).run(),
      );
      expect(failure).toMatchObject({ code: 'EOS_TRANSFORM', message: expect.stringContaining('ops') });
    }
    const log = memoryStore<Row>();
    await pipeline({
      id: 'p',
      source,
      transform: () => rows,
      changelog: 'append',
      sinks: { m: memorySink(log) },
    }).run();
    expect(log.rows()).toEqual(rows);
  });
});

describe('an update', () => {
  test('is never split between two commits, nor at a gap between its halves', async () => {
    const ops = [0, 1, 2, 1, 2, 1, 2, 3];
    const seen: number[] = [];
    const store = memoryStore<Row>({ mode: 'upsert', key: ['id'] });
    const watched: MemoryStore<Row> = {
      ...store,
      commit: async (...request) => {
        await store.commit(...request);
        seen.push(store.rows().length);
      },
    };
    const assignment: Assignment<Row> = {
      partitions: ['0'],
      open: async (positions) => {
        // Each row has two offsets: the first is its own, the second is a gap that a batch without rows moves over.
        let next = Number(positions.get('0')?.offset ?? 0n);
        return {
          read: async (limit) => {
            const from = next / 2;
            if (from === ops.length) return undefined;
            const slice = Number.isInteger(from) ? ops.slice(from, from + limit.rows) : [];
            next += slice.length === 0 ? 1 : slice.length * 2 - 1;
            return {
              partition: '0',
              rows: slice.map(() => ({ id: 1 })),
              ops: Uint8Array.from(slice),
              offsets: BigInt64Array.from(slice, (_, index) => BigInt((from + index) * 2)),
              next: BigInt(next),
              bytes: 1,
              identity: async () => ({}),
            };
          },
          close: async () => {},
        };
      },
    };
    const source: Source<Row> = { ...sourceOf([assignment]), changelog: 'retract' };
    await pipeline({ id: 'p', source, sinks: { m: memorySink(watched) }, trigger: { rows: 2 } }).run();
    expect(seen).toEqual([1, 1, 1, 0]);
  });
});
