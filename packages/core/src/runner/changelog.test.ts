import { describe, expect, test } from '@jest/globals';
import {
  memorySink,
  memoryStore,
  pipeline,
  type Assignment,
  type MemoryStore,
  type Source,
} from '../index.js';
import { pipelineIn } from '../pipeline.js';
import { systemEnvironment } from './environment.js';
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

  test('whose second half never comes holds up its transaction for a while, and no longer', async () => {
    const store = memoryStore<Row>({ mode: 'upsert', key: ['id'] });
    const stop = new AbortController();
    const watched: MemoryStore<Row> = {
      ...store,
      commit: async (...request) => {
        await store.commit(...request);
        stop.abort();
      },
    };
    const assignment: Assignment<Row> = {
      partitions: ['0'],
      open: async () => {
        const batches = [
          {
            partition: '0',
            rows: [{ id: 1 }, { id: 2 }, { id: 1 }],
            ops: Uint8Array.of(0, 0, 1),
            offsets: BigInt64Array.of(0n, 1n, 2n),
            next: 3n,
            bytes: 3,
            identity: async () => ({}),
          },
        ];
        const idle = new Promise<undefined>((resolve) => {
          stop.signal.addEventListener('abort', () => resolve(undefined));
        });
        return { read: async () => batches.shift() ?? (await idle), close: async () => {} };
      },
    };
    const waited: number[] = [];
    const quick = {
      ...systemEnvironment,
      after(milliseconds: number, callback: () => void) {
        waited.push(milliseconds);
        return systemEnvironment.after(milliseconds / 100, callback);
      },
    };
    const source: Source<Row> = { ...sourceOf([assignment]), changelog: 'retract' };
    const sinks = { m: memorySink(watched) };
    const result = await pipelineIn(quick, { id: 'p', source, sinks, trigger: { intervalMs: 500 } }).run({
      signal: stop.signal,
      signals: [],
    });
    expect(result.positions.get('0')).toMatchObject({ epoch: 1n, offset: 3n });
    expect(store.rows()).toEqual([{ id: 2 }]);
    // The third is how long a stop may take.
    expect(waited.slice(0, 2)).toEqual([500, 10_000]);
  });
});
