import { describe, expect, test } from '@jest/globals';
import { isEosError } from '../errors.js';
import { memorySink, memoryStore } from '../memory-sink.js';
import { pipeline } from '../pipeline.js';
import type { Positions } from '../positions.js';
import type { Assignment, Source, SourceBatch } from '../source.js';
import { iterableSource } from '../sources/index.js';
import { replay, type ReplayOptions } from './replay.js';

interface Item {
  readonly id: number;
}

const items = Array.from({ length: 1_000 }, (_, id) => ({ id }));
const context = { pipeline: 'replayed', signal: new AbortController().signal };

/** The position that a run over the first `count` items leaves. */
async function positionsAfter(count: number): Promise<Positions> {
  const source = iterableSource({ items: items.slice(0, count) });
  const { positions } = await pipeline({
    id: 'replayed',
    source,
    sinks: { rows: memorySink(memoryStore<Item>()) },
  }).run();
  return positions;
}

async function idsOf(options: Partial<ReplayOptions<Item, Item>>): Promise<number[]> {
  const ids: number[] = [];
  const source = iterableSource({ items });
  const transform = (batch: SourceBatch<Item>) => batch.rows;
  const positions = await positionsAfter(700);
  const all = { source, transform, changelog: 'append', positions, context, rows: 64, ...options } as const;
  for await (const { changes } of replay(all)) ids.push(...changes.rows.map(({ id }) => id));
  return ids;
}

function range(from: number, to: number): number[] {
  return items.slice(from, to).map(({ id }) => id);
}

async function codeOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'none';
  } catch (error) {
    if (isEosError(error)) return error.code;
    throw error;
  }
}

describe('replay', () => {
  test('gives the rows up to the stored offset, however they are cut', async () => {
    for (const rows of [1, 7, 64, 700, 10_000]) expect(await idsOf({ rows })).toEqual(range(0, 700));
    expect(await idsOf({ positions: new Map() })).toEqual([]);
  });

  test('begins and ends where it is asked to', async () => {
    expect(await idsOf({ starts: new Map([['0', 100n]]) })).toEqual(range(100, 700));
    expect(await idsOf({ ends: new Map([['0', 33n]]) })).toEqual(range(0, 33));
    expect(await idsOf({ ends: new Map() })).toEqual([]);
  });

  test('leaves out what a source repeats, and asks no source for more than is needed', async () => {
    let isAskedForMore = false;
    const once = iterableSource({ items });
    const repeating: Source<Item> = {
      ...once,
      async *assignments(at) {
        for await (const assignment of once.assignments(at)) yield repeated(assignment);
        isAskedForMore = true;
      },
    };
    expect(await idsOf({ source: repeating })).toEqual(range(0, 700));
    expect(isAskedForMore).toBe(false);
  });

  test('refuses a source that is another one, ends too early, or lacks a partition', async () => {
    const positions = await positionsAfter(700);
    const other = iterableSource({ items, identity: { kind: 'other' } });
    expect(await codeOf(idsOf({ source: other }))).toBe('EOS_SOURCE_CHANGED');
    expect(await codeOf(idsOf({ source: iterableSource({ items: items.slice(0, 699) }) }))).toBe(
      'EOS_SOURCE_CHANGED',
    );
    const short = iterableSource<Item>({ replayable: true, open: () => [{ offset: 1n, row: { id: 1 } }] });
    expect(await codeOf(idsOf({ source: short }))).toBe('EOS_SOURCE_CHANGED');
    const [position] = positions.values();
    if (position === undefined) throw new Error('there is no position');
    const two = new Map([...positions, ['gone', position] as const]);
    expect(await codeOf(idsOf({ positions: two }))).toBe('EOS_SOURCE_CHANGED');
  });

  test('says what the transform did wrong', async () => {
    const transform = (): Item[] => {
      throw new Error('no luck');
    };
    expect(await codeOf(idsOf({ transform }))).toBe('EOS_TRANSFORM');
  });
});

/** Hands out every batch twice. */
function repeated(assignment: Assignment<Item>): Assignment<Item> {
  return {
    ...assignment,
    async open(positions, signal) {
      const reader = await assignment.open(positions, signal);
      let last: SourceBatch<Item> | undefined;
      return {
        async read(limit) {
          const batch = last ?? (await reader.read(limit));
          last = last === undefined ? batch : undefined;
          return batch;
        },
        close: () => reader.close(),
      };
    },
  };
}
