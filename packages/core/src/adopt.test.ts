import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { adopt, type AdoptedPosition } from './adopt.js';
import { isEosError, type EosErrorCode } from './errors.js';
import { memorySink, memoryStore } from './memory-sink.js';
import { pipeline } from './pipeline.js';
import { rowSchema, t } from './schema.js';
import type { Source } from './source.js';
import { csvSource, iterableSource, jsonArraySource, ndjsonSource, standardInput } from './sources/index.js';
import { withFolder } from './sources/reading.testing.js';

interface Item {
  readonly id: number;
}

const schema = rowSchema({ id: t.int32() });

/** Adopts, runs to the end, and returns the ids that the run has written. */
async function adoptAndRun(source: Source<Item>, positions: Record<string, AdoptedPosition>) {
  const store = memoryStore<Item>();
  const sinks = { rows: memorySink(store) };
  await adopt({ id: 'moved', source, sinks, positions });
  await pipeline({ id: 'moved', source, sinks }).run();
  return store.rows().map(({ id }) => id);
}

async function codeOf(call: Promise<unknown>): Promise<EosErrorCode | 'none'> {
  try {
    await call;
    return 'none';
  } catch (error) {
    if (isEosError(error)) return error.code;
    throw error;
  }
}

const lines = ['{"id":1}\n', '{"id":22}\n', '\n', '{"id":333}\n', '{"id":4444}'];
/** Where each line starts, and where the last one ends. */
const starts = lines.reduce<number[]>((all, line) => [...all, (all.at(-1) ?? 0) + line.length], [0]);

describe('a file', () => {
  test('is read on from every offset between two rows, and from no other', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, 'items.ndjson');
      await writeFile(path, lines.join(''));
      const source = ndjsonSource({ path, schema });
      const found = new Map<number, unknown>();
      for (let offset = 1; offset <= lines.join('').length + 1; offset++) {
        const outcome = adoptAndRun(source, { 'items.ndjson': { offset } });
        found.set(offset, await outcome.catch((error: unknown) => isEosError(error) && error.code));
      }
      const expected = new Map<number, unknown>();
      for (const offset of found.keys()) expected.set(offset, 'EOS_CONFIG');
      expected.set(starts[1] ?? 0, [22, 333, 4444]);
      // The blank line may belong to either side.
      expected.set(starts[2] ?? 0, [333, 4444]);
      expected.set(starts[3] ?? 0, [333, 4444]);
      expected.set(starts[4] ?? 0, [4444]);
      expected.set(starts[5] ?? 0, []);
      expect(found).toEqual(expected);
    });
  });

  test('stores what a commit at that offset would have stored', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, 'items.ndjson');
      await writeFile(path, Array.from({ length: 25_000 }, (_, id) => `{"id":${id}}\n`).join(''));
      for (const options of [{}, { verify: 'full' as const }]) {
        const source = ndjsonSource({ path, schema, chunkBytes: 10_000, ...options });
        const sinks = { rows: memorySink(memoryStore<Item>()) };
        const stop = new AbortController();
        const work = pipeline({
          id: 'committed',
          source,
          sinks,
          trigger: { rows: 12_345 },
          transform: ({ rows, offsets }) => {
            if ((offsets.at(-1) ?? 0n) > 100_000n) stop.abort();
            return rows;
          },
        });
        const { positions, rows } = await work.run({ signal: stop.signal });
        const committed = positions.get('items.ndjson');
        const there = { sinks: { rows: memorySink(memoryStore<Item>()) }, source, id: 'moved' };
        const adopted = await adopt({ ...there, positions: { 'items.ndjson': { rows } } });
        expect(adopted.get('items.ndjson')?.offset).toBe(committed?.offset);
        expect(adopted.get('items.ndjson')?.source).toEqual(committed?.source);
      }
    });
  });

  test('packed, with header, quoted newlines, or as one array, is adopted by offset and by rows', async () => {
    await withFolder(async (folder) => {
      const csv = 'id\n"1"\n"2"\n"3"\n';
      await writeFile(join(folder, 'items.csv'), csv);
      await writeFile(join(folder, 'items.json'), '[{"id":1} , {"id":2},\n{"id":3}]');
      await writeFile(join(folder, 'items.ndjson.gz'), gzipSync('{"id":1}\n{"id":2}\n{"id":3}\n'));
      const sources: [Source<Item>, string, number][] = [
        [csvSource({ path: join(folder, 'items.csv'), schema }), 'items.csv', csv.indexOf('"3"')],
        [jsonArraySource({ path: join(folder, 'items.json'), schema }), 'items.json', 21],
        [ndjsonSource({ path: join(folder, 'items.ndjson.gz'), schema }), 'items.ndjson.gz', 18],
      ];
      for (const [source, partition, offset] of sources) {
        expect(await adoptAndRun(source, { [partition]: { offset } })).toEqual([3]);
        expect(await adoptAndRun(source, { [partition]: { rows: 1 } })).toEqual([2, 3]);
        expect(await codeOf(adoptAndRun(source, { [partition]: { rows: 4 } }))).toBe('EOS_CONFIG');
        expect(await codeOf(adoptAndRun(source, { [partition]: { offset: offset + 2 } }))).toBe('EOS_CONFIG');
      }
    });
  });

  test('of a folder starts at its beginning unless it is named', async () => {
    await withFolder(async (folder) => {
      await writeFile(join(folder, 'a.ndjson'), '{"id":1}\n{"id":2}\n');
      await writeFile(join(folder, 'b.ndjson'), '{"id":3}\n{"id":4}\n');
      await writeFile(join(folder, 'c.ndjson'), '{"id":5}\n');
      const source = ndjsonSource({ path: folder, schema });
      const positions = { 'a.ndjson': { offset: 18n }, 'b.ndjson': { rows: 1 } };
      expect(await adoptAndRun(source, positions)).toEqual([4, 5]);
      expect(await codeOf(adoptAndRun(source, { 'd.ndjson': { rows: 1 } }))).toBe('EOS_CONFIG');
    });
  });

  test('that was replaced after it was adopted is not read on', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, 'items.ndjson');
      await writeFile(path, '{"id":1}\n{"id":2}\n');
      const source = ndjsonSource({ path, schema });
      const sinks = { rows: memorySink(memoryStore<Item>()) };
      await adopt({ id: 'moved', source, sinks, positions: { 'items.ndjson': { offset: 9 } } });
      await writeFile(path, '{"id":7}\n{"id":8}\n');
      expect(await codeOf(pipeline({ id: 'moved', source, sinks }).run())).toBe('EOS_SOURCE_CHANGED');
    });
  });
});

test('rows of the program are adopted by their offset', async () => {
  const items = [{ id: 1 }, { id: 2 }, { id: 3 }];
  expect(await adoptAndRun(iterableSource({ items }), { '0': { offset: 2 } })).toEqual([3]);
  expect(await codeOf(adoptAndRun(iterableSource({ items }), { '0': { offset: 4 } }))).toBe('EOS_CONFIG');
  const entries = iterableSource({
    replayable: true,
    open: () => [10n, 20n, 30n].map((offset) => ({ offset, row: { id: Number(offset) } })),
  });
  expect(await adoptAndRun(entries, { '0': { offset: 21 } })).toEqual([30]);
  expect(await adoptAndRun(entries, { '0': { offset: 30 } })).toEqual([30]);
});

test('is refused where something else is stored, and changes nothing when repeated', async () => {
  await withFolder(async (folder) => {
    const path = join(folder, 'items.ndjson');
    await writeFile(path, '{"id":1}\n{"id":2}\n');
    const source = ndjsonSource({ path, schema });
    const sinks = { rows: memorySink(memoryStore<Item>()) };
    const at = (positions: Record<string, AdoptedPosition>) =>
      adopt({ id: 'moved', source, sinks, positions });
    const first = await at({ 'items.ndjson': { offset: 9 } });
    await appendFile(path, '{"id":3}\n');
    expect(await at({ 'items.ndjson': { rows: 1n } })).toEqual(first);
    expect(await codeOf(at({ 'items.ndjson': { offset: 18 } }))).toBe('EOS_POSITION_EXISTS');
    const otherSource = { offset: 9, source: { kind: 'topic' } };
    expect(await codeOf(at({ 'items.ndjson': otherSource }))).toBe('EOS_POSITION_EXISTS');
    await pipeline({ id: 'moved', source, sinks }).run();
    expect(await codeOf(at({ 'items.ndjson': { offset: 9 } }))).toBe('EOS_POSITION_EXISTS');
  });
});

test('two at once with the same values both succeed, with others one', async () => {
  const source = iterableSource({ items: [{ id: 1 }, { id: 2 }, { id: 3 }] });
  const run = async (offsets: readonly number[]) => {
    const sinks = { rows: memorySink(memoryStore<Item>()) };
    const calls = offsets.map((offset) =>
      adopt({ id: 'moved', source, sinks, positions: { '0': { offset } } }),
    );
    return (await Promise.all(calls.map(codeOf))).sort();
  };
  expect(await run([1, 1, 1])).toEqual(['none', 'none', 'none']);
  expect(await run([1, 2])).toEqual(['EOS_POSITION_EXISTS', 'none']);
});

test('what the source cannot tell has to be given', async () => {
  const sinks = { rows: memorySink(memoryStore<Item>()) };
  const input = standardInput({ format: 'ndjson', schema });
  const positions = { '0': { offset: 5 } };
  expect(await codeOf(adopt({ id: 'a', source: input, sinks, positions }))).toBe('EOS_CONFIG');
  expect(await codeOf(adopt({ id: 'a', sinks, positions }))).toBe('EOS_CONFIG');
  expect(await codeOf(adopt({ id: 'a', sinks, positions: {} }))).toBe('EOS_CONFIG');
  expect(await codeOf(adopt({ id: 'a', sinks, positions: { '0': { offset: -1 } } }))).toBe('EOS_CONFIG');
  const stored = await adopt({ id: 'a', sinks, positions: { '0': { offset: 5, source: { kind: 'mine' } } } });
  expect(stored.get('0')).toMatchObject({ offset: 5n, epoch: 1n, source: { kind: 'mine' } });
});
