import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { memorySink, memoryStore } from '../memory-sink.js';
import { pipeline } from '../pipeline.js';
import { rowSchema, t } from '../schema.js';
import { ndjsonSource } from './index.js';
import { withFolder } from './reading.testing.js';

const schema = rowSchema({ id: t.int32() });
const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => `{"id":${from + index}}\n`).join('');

test('a pipeline that is stopped again and again takes every row of a growing folder once', async () => {
  await withFolder(async (folder) => {
    const store = memoryStore<{ id: number }>();
    await mkdir(join(folder, 'packed'));
    await writeFile(join(folder, 'a.ndjson'), lines(0, 300));
    await writeFile(join(folder, 'b.ndjson'), lines(1000, 1010));
    await writeFile(join(folder, 'packed/c.ndjson.gz'), gzipSync(lines(2000, 2250)));
    const run = async (stopAfter: number) => {
      const stop = new AbortController();
      let seen = 0;
      return await pipeline({
        id: 'folder',
        source: ndjsonSource({ path: folder, schema, growing: true, chunkBytes: 300 }),
        transform: ({ rows }) => {
          seen += rows.length;
          if (seen >= stopAfter) stop.abort();
          return rows;
        },
        sinks: { rows: memorySink(store) },
        trigger: { rows: 7 },
      }).run({ signal: stop.signal });
    };
    let ended = 'stopped';
    for (let runs = 0; ended === 'stopped' && runs < 50; runs++) ended = (await run(60)).reason;
    expect(ended).toBe('end');
    await appendFile(join(folder, 'a.ndjson'), `${lines(300, 350)}{"id":`);
    await writeFile(join(folder, 'packed/d.ndjson'), lines(3000, 3001));
    expect((await run(Infinity)).reason).toBe('end');
    await appendFile(join(folder, 'a.ndjson'), '350}\n');
    expect((await run(Infinity)).rows).toBe(1);
    const ids = store.rows().map(({ id }) => id);
    const expected = [
      [0, 351],
      [1000, 1010],
      [2000, 2250],
      [3000, 3001],
    ].flatMap(([from = 0, to = 0]) => Array.from({ length: to - from }, (_, index) => from + index));
    expect(ids.sort((left, right) => left - right)).toEqual(expected);
  });
});
