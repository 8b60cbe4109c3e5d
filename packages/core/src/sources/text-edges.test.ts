import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { csvSource, jsonArraySource, ndjsonSource } from './index.js';
import {
  after,
  identityAt,
  position,
  readBatches,
  readRows,
  seed,
  withFolder,
  type ReadBatch,
} from './reading.testing.js';

describe('a last record without a newline', () => {
  test('that was read as complete and goes on stops the next run', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, 'data');
      for (const source of [ndjsonSource({ path }), csvSource({ path, columns: ['a'] })]) {
        await writeFile(path, '1\n12');
        const last = (await readBatches<unknown>(source)).at(-1) as ReadBatch<unknown>;
        expect(last.next).toBe(4n);
        await appendFile(path, '\n3\n');
        expect(await readRows<unknown>(source, { positions: after(last) })).toHaveLength(1);
        await writeFile(path, '1\n12\r\n3\n4\n');
        expect(await readRows<unknown>(source, { positions: after(last) })).toHaveLength(2);
        await writeFile(path, '1\n1299\n3\n');
        await expect(readRows<unknown>(source, { positions: after(last) })).rejects.toMatchObject({
          code: 'EOS_SOURCE_CHANGED',
          message: expect.stringMatching(/offset 4 without a newline.*growing: true/),
        });
      }
    });
  });

  const growingText = fc.array(
    fc.tuple(fc.string({ unit: 'grapheme', maxLength: 6 }), fc.constantFrom('\n', '\r\n')),
    { maxLength: 6 },
  );

  test.each([{ format: 'ndjson' }, { format: 'csv' }] as const)(
    `is not there yet in a growing file: however it grows, each row is read once ($format, EOS_TEST_SEED=${seed})`,
    async ({ format }) => {
      await withFolder(async (folder) => {
        const path = join(folder, 'data');
        const source =
          format === 'csv'
            ? csvSource({ path, growing: true, chunkBytes: 7 })
            : ndjsonSource({ path, growing: true, chunkBytes: 7 });
        const record = (text: string) =>
          format === 'csv' ? `"${text.replaceAll('"', '""')}",1` : JSON.stringify({ text, one: '1' });
        const property = fc.asyncProperty(growingText, fc.array(fc.nat(200)), async (texts, cuts) => {
          const header = format === 'csv' ? 'text,one\n' : '';
          const whole = Buffer.from(header + texts.map(([text, newline]) => record(text) + newline).join(''));
          const seen: unknown[] = [];
          let positions = new Map();
          for (const cut of [...cuts, whole.length].sort((left, right) => left - right)) {
            await writeFile(path, whole.subarray(0, cut));
            const batches = await readBatches<unknown>(source, { positions });
            seen.push(...batches.flatMap(({ rows }) => rows));
            const last = batches.at(-1);
            if (last !== undefined) positions = new Map(after(last));
          }
          expect(seen).toEqual(texts.map(([text]) => ({ text, one: '1' })));
        });
        await fc.assert(property, { seed, numRuns: 100 });
      });
    },
  );
});

test('a json array that goes on without a comma is none, also where an earlier run stopped there', async () => {
  await withFolder(async (folder) => {
    const path = join(folder, 'data');
    const text = Buffer.from('[1 2, 3]');
    await writeFile(path, text);
    const positions = (offset: number) =>
      new Map([['data', position(BigInt(offset), identityAt(text, offset))]]);
    await expect(readRows(jsonArraySource({ path }), { positions: positions(2) })).rejects.toMatchObject({
      code: 'EOS_SOURCE_FORMAT',
      message: expect.stringContaining('offset 3: expected , or ]'),
    });
    expect(await readRows(jsonArraySource({ path }), { positions: positions(3) })).toEqual([2, 3]);
    expect(await readRows(jsonArraySource({ path }), { positions: positions(4) })).toEqual([3]);
  });
});
