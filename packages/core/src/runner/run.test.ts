import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { describe, expect, test } from '@jest/globals';
import { memorySink, memoryStore, pipeline, type MemoryStore, type PipelineEvents } from '../index.js';
import { fast, ids, numbers, upTo, type Row } from './numbers.testing.js';

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
    expect(failure).toMatchObject({
      code: 'EOS_UNKNOWN_OUTCOME',
      message: expect.stringContaining('gave up after 3 tries'),
    });
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
    expect(failure).toMatchObject({ code: 'EOS_TRANSFORM', details: { partition: '0', from: 0n, to: 7n } });
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
