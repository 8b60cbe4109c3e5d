/** Which files a compaction writes anew, and that it keeps rows in their order. */
import { Op, rowSchema, t } from '@eos/core';
import { memoryObjectStore, type ObjectStore } from '@eos/object-store';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { PREFIX, seed, Writer } from '../commits.testing.js';
import { checkOptions, type S3SinkOptions } from '../options.js';
import { openTable } from '../reader/open-table.js';
import { compactTable } from './compact-table.js';

const schema = rowSchema({ id: t.int32(), day: t.int32() });
type Row = Readonly<Record<'id' | 'day', number>>;
type Options = S3SinkOptions<(typeof schema)['columns']>;

/** A file is large from five rows on. */
const appended = (store: ObjectStore): Options => ({
  store,
  prefix: PREFIX,
  schema,
  partitionBy: ['day'],
  roll: { rows: 10 },
});

const compact = (options: Options) =>
  compactTable(
    { store: options.store ?? memoryObjectStore(), prefix: PREFIX },
    checkOptions(options as unknown as S3SinkOptions),
    { dryRun: false },
  );

async function filesOf(store: ObjectStore) {
  const files: { path: string; rows: number; seq: bigint }[] = [];
  for await (const file of (await openTable(store, PREFIX)).files()) files.push(file);
  return files;
}

/** The ids of each day, in the order in which they are read. */
async function idsByDay(store: ObjectStore): Promise<Record<string, number[]>> {
  const ids: Record<string, number[]> = {};
  for await (const rows of (await openTable(store, PREFIX)).rows())
    for (const { id, day } of rows) (ids[String(day)] ??= []).push(Number(id));
  return ids;
}

function expectedByDay(rows: readonly Row[]): Record<string, number[]> {
  const ids: Record<string, number[]> = {};
  for (const { id, day } of rows) (ids[String(day)] ??= []).push(id);
  return ids;
}

describe('compaction of an append table', () => {
  const days = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 40 });

  test(`keeps the order in each folder, and every large file (seed ${seed})`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(days, { maxLength: 5 }), { minLength: 1, maxLength: 4 }),
        async (rounds) => {
          const options = appended(memoryObjectStore());
          const writer = await Writer.open(options);
          const { store } = options;
          if (store === undefined) return;
          const written: Row[] = [];
          for (const round of rounds) {
            for (const commit of round) {
              const rows = commit.map((day, index) => ({ id: written.length + index, day }));
              await writer.commit(rows);
              written.push(...rows);
            }
            const before = await filesOf(store);
            const { after } = await compact(options);
            const files = await filesOf(store);
            const paths = new Set(files.map(({ path }) => path));
            expect(after).toMatchObject({ files: files.length, rows: written.length });
            for (const { path, rows } of before) if (rows >= 5) expect(paths).toContain(path);
            expect(await idsByDay(store)).toEqual(expectedByDay(written));
            // In no folder do two small files follow one another.
            const small = files.map(({ path, rows }) => (rows < 5 ? path.split('/')[0] : undefined));
            for (const [index, folder] of small.entries())
              if (folder !== undefined) expect(small[index + 1]).not.toBe(folder);
          }
          await writer.close();
        },
      ),
      { numRuns: 15, seed },
    );
  });

  test('writes nothing where nothing was committed since, or where there is one file', async () => {
    const options = appended(memoryObjectStore());
    const store = options.store ?? memoryObjectStore();
    const writer = await Writer.open(options);
    await writer.commit([{ id: 0, day: 0 }]);
    const { seq } = await openTable(store, PREFIX);
    await compact(options);
    expect((await openTable(store, PREFIX)).seq).toBe(seq);
    await writer.commit([{ id: 1, day: 0 }]);
    expect(await compact(options)).toMatchObject({ before: { files: 2 }, after: { files: 1, rows: 2 } });
    const { seq: compacted } = await openTable(store, PREFIX);
    expect(await compact(options)).toMatchObject({ before: { files: 1 }, after: { files: 1 } });
    expect((await openTable(store, PREFIX)).seq).toBe(compacted);
    await writer.close();
  });
});

test('compaction of an upsert with one file takes away what was deleted, once', async () => {
  const store = memoryObjectStore();
  const options: Options = { store, prefix: PREFIX, schema, mode: 'upsert', key: ['id'] };
  const writer = await Writer.open(options);
  await writer.commit(
    [
      { id: 1, day: 1 },
      { id: 2, day: 1 },
      { id: 1, day: 1 },
    ],
    [Op.insert, Op.insert, Op.delete],
  );
  expect(await compact(options)).toMatchObject({ before: { rows: 3 }, after: { files: 1, rows: 1 } });
  const [file] = await filesOf(store);
  expect(await compact(options)).toMatchObject({ before: { rows: 1 }, after: { files: 1, rows: 1 } });
  expect((await filesOf(store)).map(({ path }) => path)).toEqual([file?.path]);
  await writer.close();
});
