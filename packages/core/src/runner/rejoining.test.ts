import { describe, expect, test } from '@jest/globals';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  memorySink,
  memoryStore,
  pipeline,
  type Assignment,
  type MemoryStore,
  type PipelineEvents,
  type Source,
} from '../index.js';
import { failureOf, fast, ids, numbers, upTo, type Row } from './numbers.testing.js';

/** A source of a group that gives the same partition again whenever it is asked, and counts how often it was. */
function groupSource(
  count: number,
  onAssign: (turn: number) => void = () => undefined,
): Source<Row> & { turns: number } {
  const source = {
    ...numbers(count),
    turns: 0,
    async *assignments(context: Parameters<Source<Row>['assignments']>[0]) {
      for (let isOver = false; !isOver;) {
        isOver = true;
        onAssign(++source.turns);
        for await (const assignment of numbers(count).assignments(context)) {
          yield { ...assignment, rejoin: () => (isOver = false) } as Assignment<Row>;
        }
      }
    },
  };
  return source;
}

/** A store that another session claims right before the first `times` commits. */
function contested(store: MemoryStore<Row>, times: number): MemoryStore<Row> {
  let left = times;
  return {
    ...store,
    commit: async (...request) => {
      if (left-- > 0) await takeOver(store);
      await store.commit(...request);
    },
  };
}

async function takeOver(store: MemoryStore<Row>): Promise<void> {
  const sink = await memorySink(store).open({ pipeline: 'p', sink: 'm' });
  await (await sink.recover(['0'])).close();
  await sink.close();
}

const run = (source: Source<Row>, store: MemoryStore<Row>, attempts = 20) =>
  pipeline({
    id: 'p',
    source,
    sinks: { m: memorySink(store) },
    trigger: { rows: 10 },
    retry: { ...fast, attempts },
  }).run();

describe('a member of a group that was fenced', () => {
  test('asks the group again, claims what it is given, and loses nothing', async () => {
    const store = memoryStore<Row>();
    const source = groupSource(35);
    const fences: PipelineEvents['eos:fence'][] = [];
    const onFence = (message: unknown) => fences.push(message as PipelineEvents['eos:fence']);
    subscribe('eos:fence', onFence);
    try {
      await expect(run(source, contested(store, 3))).resolves.toMatchObject({ reason: 'end', rows: 35 });
    } finally {
      unsubscribe('eos:fence', onFence);
    }
    expect(ids(store)).toEqual(upTo(35));
    expect(source.turns).toBe(4);
    expect(fences.map(({ isOver }) => isOver)).toEqual([false, false, false]);
  });

  test('ends where it is fenced again and again, commits in between or not', async () => {
    const store = memoryStore<Row>();
    const source = groupSource(1_000_000, (turn) => {
      if (turn > 50) throw new Error('it takes turns for ever');
    });
    // Every second commit is let through: whoever takes turns commits too.
    let commits = 0;
    const turns: MemoryStore<Row> = {
      ...store,
      commit: async (...request) => {
        if (++commits % 2 === 0) await takeOver(store);
        await store.commit(...request);
      },
    };
    expect(await failureOf(run(source, turns, 5))).toMatchObject({ code: 'EOS_FENCED' });
    expect(source.turns).toBe(5);
    expect(ids(store)).toEqual(upTo(ids(store).length));
    expect(ids(store).length).toBeGreaterThan(0);
  });

  test('is not what a program without a group is', async () => {
    const store = memoryStore<Row>();
    expect(await failureOf(run(numbers(35), contested(store, 1)))).toMatchObject({ code: 'EOS_FENCED' });
  });
});
