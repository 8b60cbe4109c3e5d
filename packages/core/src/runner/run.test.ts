import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, test } from '@jest/globals';
import {
  isEosError,
  memorySink,
  memoryStore,
  pipeline,
  type Assignment,
  type MemoryStore,
  type PipelineEvents,
  type Positions,
  type Source,
  type SourceBatch,
} from '../index.js';

interface Row {
  readonly id: number;
}

/** Rows 0 … count-1 at offsets 0 … count-1; resumes exactly. */
function numbers(
  count: number,
  options: { readonly failAt?: Set<number>; readonly startEarly?: number } = {},
): Source<Row> {
  const assignment: Assignment<Row> = {
    partitions: ['0'],
    open: async (positions: Positions) => {
      let next = Math.max(0, Number(positions.get('0')?.offset ?? 0n) - (options.startEarly ?? 0));
      return {
        read: async ({ rows }) => {
          if (options.failAt?.delete(next)) throw new Error(`no reading at ${next}`);
          if (next >= count) return undefined;
          const from = next;
          next = Math.min(count, from + Math.min(rows, 7));
          return batchOf(from, next);
        },
        close: async () => {},
      };
    },
  };
  return {
    description: 'numbers',
    changelog: 'append',
    replayable: true,
    assignments: async function* () {
      yield assignment;
    },
  };
}

function batchOf(from: number, to: number): SourceBatch<Row> {
  const rows = Array.from({ length: to - from }, (_, index) => ({ id: from + index }));
  return {
    partition: '0',
    rows,
    offsets: BigInt64Array.from(rows, ({ id }) => BigInt(id)),
    next: BigInt(to),
    bytes: rows.length * 10,
    identity: async () => ({ kind: 'numbers' }),
  };
}

const ids = (store: MemoryStore<Row>) => store.rows().map(({ id }) => id);
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);
const fast = { initialMs: 1, maxMs: 2 };

describe('a run with one sink', () => {
  test('commits every row once, in transactions of the trigger size', async () => {
    const store = memoryStore<Row>();
    const work = pipeline({
      id: 'p',
      source: numbers(100),
      sinks: { memory: memorySink(store) },
      trigger: { rows: 30 },
    });
    const result = await work.run();
    expect(ids(store)).toEqual(upTo(100));
    expect(result).toMatchObject({ reason: 'end', rows: 100, written: 100, commits: 4, recoveries: 0 });
    expect(result.positions.get('0')).toMatchObject({ epoch: 4n, offset: 100n, source: { kind: 'numbers' } });
  });

  test('goes on where the destination is, and drops what a source hands out again', async () => {
    const store = memoryStore<Row>();
    const sinks = { memory: memorySink(store) };
    await pipeline({ id: 'p', source: numbers(50), sinks }).run();
    const second = await pipeline({ id: 'p', source: numbers(80, { startEarly: 13 }), sinks }).run();
    expect(second.rows).toBe(30);
    expect(ids(store)).toEqual(upTo(80));
  });

  test('reads again after the source failed', async () => {
    const store = memoryStore<Row>();
    const source = numbers(100, { failAt: new Set([20, 70]) });
    const result = await pipeline({
      id: 'p',
      source,
      sinks: { memory: memorySink(store) },
      trigger: { rows: 10 },
      retry: fast,
    }).run();
    expect(ids(store)).toEqual(upTo(100));
    expect(result.recoveries).toBe(2);
  });

  test('settles a commit whose answer was lost, landed or not', async () => {
    for (const landed of [true, false]) {
      const store = memoryStore<Row>();
      const settled: PipelineEvents['eos:settle'][] = [];
      const listener = (message: unknown) => void settled.push(message as PipelineEvents['eos:settle']);
      subscribe('eos:settle', listener);
      let commits = 0;
      const lossy: MemoryStore<Row> = {
        ...store,
        commit: async (...request) => {
          const isLost = ++commits === 3;
          if (!isLost || landed) await store.commit(...request);
          if (isLost) throw new Error('connection reset');
        },
      };
      const work = pipeline({
        id: 'p',
        source: numbers(100),
        sinks: { memory: memorySink(lossy) },
        trigger: { rows: 10 },
        retry: fast,
      });
      const result = await work.run();
      unsubscribe('eos:settle', listener);
      expect(ids(store)).toEqual(upTo(100));
      expect(result.rows).toBe(100);
      expect(settled.map(({ outcomes }) => outcomes.get('0'))).toEqual([landed ? 'committed' : 'aborted']);
    }
  });

  test('stops when another copy takes over, and does not take the claim back', async () => {
    const store = memoryStore<Row>();
    const connector = memorySink(store);
    let taken = false;
    const work = pipeline({
      id: 'p',
      source: numbers(100),
      transform: async (batch) => {
        if (!taken && batch.next > 40n) {
          taken = true;
          const other = await connector.open({ pipeline: 'p', sink: 'memory' });
          await other.recover(['0']);
        }
        return batch;
      },
      sinks: { memory: connector },
      trigger: { rows: 10 },
      retry: fast,
    });
    const failure = await work.run().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'EOS_FENCED' });
    expect(ids(store)).toEqual(upTo(ids(store).length));
  });

  test('seeks back when the destination went back', async () => {
    const store = memoryStore<Row>();
    let restore: (() => void) | undefined;
    let restored = false;
    const work = pipeline({
      id: 'p',
      source: numbers(100),
      transform: (batch) => {
        if (batch.next > 30n) restore ??= store.save();
        if (batch.next > 70n && !restored) {
          restored = true;
          restore?.();
        }
        return batch;
      },
      sinks: { memory: memorySink(store) },
      trigger: { rows: 10 },
      retry: fast,
    });
    await work.run();
    expect(restored).toBe(true);
    expect(ids(store)).toEqual(upTo(100));
  });

  test('commits what was written when it is asked to stop, and goes on later', async () => {
    const store = memoryStore<Row>();
    const controller = new AbortController();
    const work = pipeline({
      id: 'p',
      source: numbers(1000),
      transform: (batch) => {
        if (batch.next > 100n) controller.abort();
        return batch;
      },
      sinks: { memory: memorySink(store) },
      trigger: { rows: 50 },
    });
    const result = await work.run({ signal: controller.signal });
    expect(result.reason).toBe('stopped');
    expect(ids(store)).toEqual(upTo(result.rows));
    expect(result.rows).toBeLessThan(1000);
    await pipeline({ id: 'p', source: numbers(1000), sinks: { memory: memorySink(store) } }).run();
    expect(ids(store)).toEqual(upTo(1000));
  });

  test('gives up after as many failures in a row as it may have', async () => {
    const store = memoryStore<Row>();
    let calls = 0;
    const down: MemoryStore<Row> = {
      ...store,
      claim: async () => Promise.reject(new Error(`down ${++calls}`)),
    };
    const work = pipeline({
      id: 'p',
      source: numbers(10),
      sinks: { memory: memorySink(down) },
      retry: { ...fast, attempts: 3 },
    });
    const failure = await work.run().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'EOS_UNAVAILABLE' });
    expect(calls).toBe(3);
  });

  test('names the offsets of a transform that throws, and does not try again', async () => {
    const store = memoryStore<Row>();
    const work = pipeline({
      id: 'p',
      source: numbers(20),
      transform: () => {
        throw new Error('no');
      },
      sinks: { memory: memorySink(store) },
    });
    const failure = await work.run().catch((error: unknown) => error);
    expect(isEosError(failure, 'EOS_TRANSFORM') && failure.details).toMatchObject({
      partition: '0',
      from: 0n,
      to: 7n,
    });
    expect(store.rows()).toEqual([]);
  });

  test('refuses updates for an append-only sink, and a source that cannot be replayed', () => {
    const sinks = { memory: memorySink(memoryStore<Row>()) };
    expect(() => pipeline({ id: 'p', source: { ...numbers(1), changelog: 'retract' }, sinks })).toThrow(
      /mode: 'upsert'/,
    );
    expect(() => pipeline({ id: 'p', source: { ...numbers(1), replayable: false }, sinks })).toThrow(
      /at-most-once/,
    );
  });
});
