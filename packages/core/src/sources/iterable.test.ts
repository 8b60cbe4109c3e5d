import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { iterableSource, type Entry } from './index.js';
import {
  after,
  never,
  openReader,
  position,
  readBatches,
  readRows,
  seed,
  type ReadBatch,
} from './reading.testing.js';

type Item = Entry<string> | readonly Entry<string>[];

/** The same items in each of the shapes that a source may come in. */
const shapes: Record<string, (items: readonly Item[]) => Iterable<Item> | AsyncIterable<Item>> = {
  array: (items) => items,
  generator: function* (items) {
    yield* items;
  },
  'async generator': async function* (items) {
    yield* items;
  },
  'async generator that waits': async function* (items) {
    for (const [index, item] of items.entries()) {
      if (index % 3 === 2) await new Promise(setImmediate);
      yield item;
    }
  },
};

/** Ascending offsets with gaps, some in arrays. */
const items = fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), fc.nat(2))).map((gaps) => {
  let offset = -1n;
  const all: Entry<string>[] = [];
  const grouped: Item[] = [];
  for (const [gap, shape] of gaps) {
    offset += BigInt(gap);
    const entry = { offset, row: `row ${offset}` };
    all.push(entry);
    const last = grouped.at(-1);
    if (shape === 2 && last !== undefined && !('offset' in last)) grouped.splice(-1, 1, [...last, entry]);
    else if (shape === 1) grouped.push([], [entry]);
    else grouped.push(entry);
  }
  return { all, grouped };
});

describe.each(Object.entries(shapes))(`an iterable: %s (EOS_TEST_SEED=${seed})`, (_name, shape) => {
  test('gives every row with its offset, from any offset on', async () => {
    const limits = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1 });
    const property = fc.asyncProperty(items, limits, fc.nat(30), async ({ all, grouped }, sizes, start) => {
      const asked: (bigint | null)[] = [];
      const source = iterableSource({
        replayable: true,
        open: (from) => {
          asked.push(from);
          return shape(grouped);
        },
      });
      const from = BigInt(start);
      const positions =
        start === 0 ? new Map() : new Map([['0', position(from, { kind: 'iterable', name: '0' })]]);
      const batches = await readBatches(source, { limits: sizes, positions });
      const expected = all.filter(({ offset }) => offset >= from);
      expect(batches.flatMap(({ rows }) => rows)).toEqual(expected.map(({ row }) => row));
      expect(batches.flatMap(({ offsets }) => [...offsets])).toEqual(expected.map(({ offset }) => offset));
      for (const { next, offsets } of batches) expect(next).toBe((offsets.at(-1) ?? 0n) + 1n);
      expect(asked).toEqual([start === 0 ? null : from]);
    });
    await fc.assert(property, { seed, numRuns: 100 });
  });
});

describe('an array', () => {
  const rows = Array.from({ length: 25 }, (_, index) => ({ id: index }));

  test('gives its rows by their index, and goes on from any of them', async () => {
    const source = iterableSource({ items: rows });
    const batches = await readBatches(source, { limits: [10] });
    expect(batches.map(({ next }) => next)).toEqual([10n, 20n, 25n]);
    expect(batches.flatMap(({ rows: some }) => some)).toEqual(rows);
    expect(batches.flatMap(({ offsets }) => [...offsets])).toEqual(rows.map(({ id }) => BigInt(id)));
    for (const batch of batches) {
      expect(await readRows(source, { positions: after(batch) })).toEqual(rows.slice(Number(batch.next)));
    }
    expect(source).toMatchObject({ changelog: 'append', replayable: true, description: 'iterable 0' });
  });

  test('that is shorter than the stored offset stops', async () => {
    const last = (await readBatches(iterableSource({ items: rows }))).at(-1) as ReadBatch<unknown>;
    const shorter = iterableSource({ items: rows.slice(1) });
    await expect(readRows(shorter, { positions: after(last) })).rejects.toMatchObject({
      code: 'EOS_SOURCE_CHANGED',
    });
    const longer = iterableSource({ items: [...rows, { id: 25 }] });
    expect(await readRows(longer, { positions: after(last) })).toEqual([{ id: 25 }]);
  });

  test('with another identity stops', async () => {
    const [batch] = await readBatches(
      iterableSource({ name: 'days', items: rows, identity: { version: 1 } }),
    );
    const positions = after(batch as ReadBatch<unknown>);
    await expect(
      readRows(iterableSource({ name: 'days', items: rows, identity: { version: 2 } }), { positions }),
    ).rejects.toMatchObject({
      code: 'EOS_SOURCE_CHANGED',
      message: expect.stringContaining('counts in {"version":1}, not in {"version":2}'),
    });
    expect(
      await readRows(iterableSource({ name: 'days', items: rows, identity: { version: 1 } }), { positions }),
    ).toEqual([]);
  });

  test('may carry ops', async () => {
    const source = iterableSource({ items: ['a', 'a', 'b', 'b'], ops: ['+I', '-U', '+U', '-D'] });
    expect(source.changelog).toBe('retract');
    const batches = await readBatches(source, { limits: [3] });
    expect(batches.map(({ ops }) => [...(ops ?? [])])).toEqual([[0, 1, 2], [3]]);
    expect(() => iterableSource({ items: ['a'], ops: [] })).toThrow(
      expect.objectContaining({ code: 'EOS_CONFIG' }),
    );
    expect(() => iterableSource({ items: ['a'], ops: ['-D'], changelog: 'append' })).toThrow(
      expect.objectContaining({ code: 'EOS_CONFIG' }),
    );
  });
});

describe('entries', () => {
  const sourceOf = (list: readonly Item[], changelog?: 'retract') =>
    iterableSource({ replayable: true, open: () => list, ...(changelog === undefined ? {} : { changelog }) });

  test('that do not ascend are refused, across batches too', async () => {
    for (const offsets of [
      [1n, 1n],
      [3n, 2n],
    ]) {
      const list = offsets.map((offset) => ({ offset, row: 'x' }));
      await expect(readRows(sourceOf(list), { limits: [1] })).rejects.toMatchObject({
        code: 'EOS_SOURCE_ORDER',
      });
    }
    await expect(readRows(sourceOf([{ offset: -1n, row: 'x' }]))).rejects.toMatchObject({
      code: 'EOS_SOURCE_FORMAT',
    });
  });

  test('with ops need a changelog', async () => {
    const list = [
      { offset: 0n, row: 'x', op: '+I' as const },
      { offset: 1n, row: 'x', op: '-D' as const },
    ];
    const [batch] = await readBatches(sourceOf(list, 'retract'));
    expect([...(batch?.ops ?? [])]).toEqual([0, 3]);
    await expect(readRows(sourceOf(list))).rejects.toMatchObject({
      code: 'EOS_SOURCE_FORMAT',
      message: expect.stringContaining('offset 1: op -D needs changelog'),
    });
  });

  test('that come at once fill a batch, and those that are late do not hold it up', async () => {
    let arrive: () => void = () => undefined;
    const late = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const reader = await openReader(
      iterableSource({
        replayable: true,
        open: async function* () {
          for (let offset = 0n; offset < 500n; offset++) yield { offset, row: offset };
          await late;
          yield { offset: 500n, row: 500n };
        },
      }),
    );
    expect((await reader.read({ rows: 1000 }))?.rows).toHaveLength(500);
    const pending = reader.read({ rows: 1000 });
    arrive();
    expect((await pending)?.rows).toEqual([500n]);
    expect(await reader.read({ rows: 1000 })).toBeUndefined();
    await reader.close();
  });

  test('are let go of when the reader is closed, also while one is waited for', async () => {
    const ended: string[] = [];
    const source = iterableSource({
      replayable: false,
      open: async function* () {
        try {
          yield { offset: 0n, row: 0 };
          yield { offset: 1n, row: 1 };
          await new Promise(() => undefined);
        } finally {
          ended.push('closed');
        }
      },
    });
    const idle = await openReader(source);
    await idle.read({ rows: 1 });
    await idle.close();
    expect(ended).toEqual(['closed']);
    const waiting = await openReader(source);
    await waiting.read({ rows: 2 });
    const pending = waiting.read({ rows: 1 });
    await waiting.close();
    await waiting.close();
    await expect(pending).rejects.toMatchObject({ code: 'EOS_CLOSED' });
    await expect(waiting.read({ rows: 1 })).rejects.toMatchObject({ code: 'EOS_CLOSED' });
  });

  test('are waited for until a signal says stop', async () => {
    const stop = new AbortController();
    const source = iterableSource<number>({
      replayable: true,
      open: async function* () {
        await new Promise(() => undefined);
        yield { offset: 0n, row: 0 };
      },
    });
    for await (const assignment of source.assignments({ pipeline: 'test', signal: never })) {
      const reader = await assignment.open(new Map(), stop.signal);
      const pending = reader.read({ rows: 1 });
      stop.abort();
      await expect(pending).rejects.toMatchObject({ code: 'EOS_ABORTED' });
      await reader.close();
    }
  });

  test('that fail fail the read', async () => {
    const source = iterableSource({
      replayable: true,
      open: function* () {
        yield { offset: 0n, row: 0 };
        throw new Error('no more');
      },
    });
    const reader = await openReader(source);
    expect((await reader.read({ rows: 1 }))?.rows).toEqual([0]);
    await expect(reader.read({ rows: 1 })).rejects.toThrow('no more');
    await reader.close();
  });
});
