import { describe, expect, test } from '@jest/globals';
import {
  defineSink,
  memorySink,
  memoryStore,
  pipeline,
  type Assignment,
  type MemoryStore,
  type Source,
  type SourceReader,
} from '../index.js';
import { pipelineIn } from '../pipeline.js';
import { systemEnvironment } from './environment.js';
import { failureOf, fast, ids, numbers, sourceOf, upTo, type Row } from './numbers.testing.js';

async function onlyAssignment(source: Source<Row>): Promise<Assignment<Row>> {
  for await (const assignment of source.assignments({ pipeline: 'p', signal: new AbortController().signal }))
    return assignment;
  throw new Error('no assignment');
}

const never = () => new Promise<never>(() => {});
const soon = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe('the time trigger', () => {
  test('commits what an idle source has handed out, each time', async () => {
    // Once with a reader that waits for ever behind its first rows; a timer that fires early must not be missed in any of many runs.
    for (let round = 0; round < 20; round++) {
      const store = memoryStore<Row>();
      const assignment = await onlyAssignment(numbers(7));
      const idle: Assignment<Row> = {
        ...assignment,
        open: async (positions, signal): Promise<SourceReader<Row>> => {
          const reader = await assignment.open(positions, signal);
          let release = () => {};
          const closed = new Promise<undefined>((resolve) => (release = () => resolve(undefined)));
          return {
            read: async (limit) => (await reader.read(limit)) ?? (await closed),
            close: async () => release(),
          };
        },
      };
      const controller = new AbortController();
      const work = pipeline({
        id: 'p',
        source: sourceOf([idle]),
        sinks: { m: memorySink(store) },
        trigger: { intervalMs: 5 },
      });
      const running = work.run({ signal: controller.signal });
      for (let waited = 0; store.rows().length === 0 && waited < 100; waited++) await soon(5);
      expect(ids(store)).toEqual(upTo(7));
      controller.abort();
      expect(await running).toMatchObject({ reason: 'stopped', commits: 1 });
    }
  });
});

describe('a destination that ends transactions after a while', () => {
  test.each([
    [800, 1_000, 400],
    [800, 300, 300],
    [800, Infinity, 400],
    [undefined, 1_000, 1_000],
  ])(
    'timeout %s, trigger %s: a transaction is due after %s ms',
    async (transactionTimeoutMs, intervalMs, due) => {
      const waited: number[] = [];
      const environment = {
        ...systemEnvironment,
        after(milliseconds: number, callback: () => void) {
          waited.push(milliseconds);
          return systemEnvironment.after(milliseconds, callback);
        },
      };
      const store = memoryStore<Row>();
      const sink = memorySink(store);
      const timed = transactionTimeoutMs === undefined ? {} : { transactionTimeoutMs };
      const limited = { ...sink, capabilities: { ...sink.capabilities, ...timed } };
      await pipelineIn(environment, {
        id: 'p',
        source: numbers(20),
        sinks: { m: limited },
        trigger: { rows: 10, intervalMs },
      }).run({ signals: [] });
      expect(ids(store)).toEqual(upTo(20));
      expect(new Set(waited)).toEqual(new Set([due]));
    },
  );
});

describe('claims of one pipeline', () => {
  test('a claim whose answer was lost is recognised as its own', async () => {
    const store = memoryStore<Row>();
    let claims = 0;
    const lossy: MemoryStore<Row> = {
      ...store,
      claim: async (...request) => {
        const claimed = await store.claim(...request);
        if (++claims === 1) throw new Error('ECONNRESET');
        return claimed;
      },
    };
    await pipeline({ id: 'p', source: numbers(20), sinks: { m: memorySink(lossy) }, retry: fast }).run();
    expect(ids(store)).toEqual(upTo(20));
  });

  test('a copy that was fenced stays fenced, however often it runs again', async () => {
    const store = memoryStore<Row>();
    const older = pipeline({
      id: 'p',
      source: numbers(50),
      transform: async (batch) => {
        if (batch.next === 14n)
          await (await memorySink(store).open({ pipeline: 'p', sink: 'm' })).recover(['0']);
        return batch;
      },
      sinks: { m: memorySink(store) },
      trigger: { rows: 7 },
    });
    for (let again = 0; again < 3; again++)
      expect(await failureOf(older.run())).toMatchObject({ code: 'EOS_FENCED' });
  });

  test('does not run twice at the same time', async () => {
    const work = pipeline({ id: 'p', source: numbers(50), sinks: { m: memorySink(memoryStore<Row>()) } });
    const first = work.run();
    expect(await failureOf(work.run())).toMatchObject({ code: 'EOS_STATE' });
    await first;
    await work.run();
  });
});

describe('partitions that are taken away', () => {
  test('end the assignment without an error, also where the next owner has claimed them already', async () => {
    const store = memoryStore<Row>();
    const revoked = new AbortController();
    const assignment = await onlyAssignment(numbers(40));
    const other = await memorySink(store).open({ pipeline: 'p', sink: 'm' });
    let taken = false;
    const work = pipeline({
      id: 'p',
      source: sourceOf([{ ...assignment, revoked: revoked.signal }, assignment]),
      transform: async (batch) => {
        if (!taken && batch.next > 14n) {
          taken = true;
          await other.recover(['0']);
          revoked.abort();
        }
        return batch;
      },
      sinks: { m: memorySink(store) },
      trigger: { rows: 7 },
      retry: fast,
    });
    expect(await work.run()).toMatchObject({ reason: 'end' });
    expect(ids(store)).toEqual(upTo(40));
  });
});

describe('resources that cannot be closed', () => {
  test('neither hide the failure nor end the run', async () => {
    const store = memoryStore<Row>();
    const assignment = await onlyAssignment(numbers(30, { failAt: new Set([14]) }));
    const stubborn: Assignment<Row> = {
      ...assignment,
      open: async (positions, signal) => ({
        ...(await assignment.open(positions, signal)),
        close: async () => Promise.reject(new Error('EBADF')),
      }),
    };
    const sink = memorySink(store);
    const unclosable = defineSink<Row>({
      description: 'unclosable',
      capabilities: sink.capabilities,
      connect: async (context) => {
        const memory = await sink.open(context);
        return {
          positions: (partitions) => memory.positions(partitions),
          recover: async ({ partitions, owner, replacing }) => {
            const session = await memory.recover(partitions, { owner, replacing });
            return {
              positions: session.positions,
              begin: async () => {
                const transaction = await session.begin();
                return {
                  write: (batch) => transaction.write(batch),
                  prepare: () => transaction.prepare(),
                  commit: ({ from, next }) => {
                    const to = new Map(
                      [...next].map(([name, { offset, source }]) => [
                        name,
                        { offset: offset ?? 0n, source: source ?? {} },
                      ]),
                    );
                    return transaction.commit({ from, to });
                  },
                  rollback: () => transaction.rollback(),
                };
              },
              close: async () => Promise.reject(new Error('socket destroyed')),
            };
          },
          close: async () => Promise.reject(new Error('socket destroyed')),
        };
      },
    });
    const work = pipeline({
      id: 'p',
      source: sourceOf([stubborn]),
      sinks: { m: unclosable },
      trigger: { rows: 7 },
      retry: fast,
    });
    expect(await work.run()).toMatchObject({ reason: 'end', recoveries: 1 });
    expect(ids(store)).toEqual(upTo(30));
  });
});

describe('a stop ends a destination that hangs', () => {
  const hangs: Readonly<Record<string, (store: MemoryStore<Row>) => MemoryStore<Row>>> = {
    'in positions': (store) => ({ ...store, positions: never }),
    'in recover': (store) => ({ ...store, claim: never }),
    'in commit': (store) => ({ ...store, commit: never }),
  };

  test.each(Object.keys(hangs))('%s', async (place) => {
    const store = memoryStore<Row>();
    const hanging = hangs[place]?.(store) ?? store;
    const controller = new AbortController();
    const work = pipeline({
      id: 'p',
      source: numbers(20),
      sinks: { m: memorySink(hanging) },
      stopTimeoutMs: 20,
    });
    const running = work.run({ signal: controller.signal });
    await soon(20);
    controller.abort();
    expect(await running).toMatchObject({ reason: 'stopped', commits: 0 });
  });

  test('in open', async () => {
    const connector = { ...memorySink(memoryStore<Row>()), open: never };
    const controller = new AbortController();
    const running = pipeline({
      id: 'p',
      source: numbers(20),
      sinks: { m: connector },
      stopTimeoutMs: 20,
    }).run({ signal: controller.signal });
    controller.abort();
    expect(await running).toMatchObject({ reason: 'stopped', rows: 0 });
  });

  test('and says why what was written last may not be committed', async () => {
    const store = memoryStore<Row>();
    const controller = new AbortController();
    const failing: MemoryStore<Row> = {
      ...store,
      commit: async () => {
        controller.abort();
        throw new Error('ECONNRESET');
      },
    };
    const work = pipeline({
      id: 'p',
      source: numbers(20),
      sinks: { m: memorySink(failing) },
      retry: fast,
    });
    expect(await work.run({ signal: controller.signal })).toMatchObject({
      reason: 'stopped',
      commits: 0,
      failure: { code: 'EOS_UNKNOWN_OUTCOME' },
    });
  });
});
