import { randomBytes } from 'node:crypto';
import { appendFile, open, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Prefix } from './file-identity.js';
import { ndjsonSource, jsonArraySource, type FileSourceOptions } from './index.js';
import {
  after,
  gzipInTwo,
  identityAt,
  openReader,
  position,
  readBatches,
  readRows,
  seed,
  sha256,
  withFolder,
  type ReadBatch,
} from './reading.testing.js';

const line = (id: number) => `${JSON.stringify({ id, note: 'x'.repeat(id % 90) })}\n`;
const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => line(from + index)).join('');
const ids = (rows: readonly unknown[]) => rows.map((row) => (row as { id: number }).id);
const count = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

/** Reads the first 500 of 1000 rows and returns the batch that ends there. */
async function readHalf(path: string, options: Partial<FileSourceOptions> = {}): Promise<ReadBatch<unknown>> {
  const reader = await openReader(ndjsonSource({ path, ...options }));
  const batch = await reader.read({ rows: 500 });
  if (batch === undefined) throw new Error('no rows');
  const source = await batch.identity();
  await reader.close();
  return { ...batch, source };
}

describe('a file that is read again', () => {
  const cases = [
    { verify: 'digests', gzip: false },
    { verify: 'digests', gzip: true },
    { verify: 'full', gzip: false },
    { verify: 'full', gzip: true },
  ] as const;

  describe.each(cases)('verify $verify, gzip $gzip', ({ verify, gzip }) => {
    const pack = (text: string) => (gzip ? gzipSync(text) : Buffer.from(text));
    const name = gzip ? 'data.ndjson.gz' : 'data.ndjson';

    const judged = async (changed: string) =>
      await withFolder(async (folder) => {
        const path = join(folder, name);
        await writeFile(path, pack(lines(0, 1000)));
        const half = await readHalf(path, { verify });
        await writeFile(path, pack(changed));
        return readRows(ndjsonSource({ path, verify }), { positions: after(half) });
      });
    const half = Buffer.byteLength(lines(0, 500));

    test('has an identity that says what was handed out', async () => {
      await withFolder(async (folder) => {
        const path = join(folder, name);
        const text = Buffer.from(lines(0, 1000));
        const packed = gzip ? pack(text.toString()) : undefined;
        await writeFile(path, packed ?? text);
        const { source } = await readHalf(path, { verify });
        const prefix = verify === 'full' ? { prefix: sha256(text.subarray(0, half)) } : {};
        expect(source).toEqual({ ...identityAt(text, half, packed), ...prefix });
      });
    });

    test('goes on where it is the same', async () => {
      expect(ids((await judged(lines(0, 1000))) as unknown[])).toEqual(count(500, 1000));
    });

    test('goes on where it grew, or changed behind the offset', async () => {
      expect(ids((await judged(lines(0, 1200))) as unknown[])).toEqual(count(500, 1200));
      expect(ids((await judged(lines(0, 500) + lines(700, 800))) as unknown[])).toEqual(count(700, 800));
    });

    test('stops where it begins with other bytes', async () => {
      const changed = lines(0, 1000).replace('"id":0', '"id":9');
      await expect(judged(changed)).rejects.toMatchObject({
        code: 'EOS_SOURCE_CHANGED',
        retryable: false,
        message: expect.stringMatching(new RegExp(`${name}.*offset ${half}.*begins with other bytes`)),
        details: { partition: name, offset: BigInt(half), differs: 'head' },
      });
    });

    test('stops where there are other bytes in front of the offset', async () => {
      const changed = lines(0, 1000).replace('"id":499', '"id":999');
      await expect(judged(changed)).rejects.toMatchObject({
        code: 'EOS_SOURCE_CHANGED',
        details: { differs: 'tail' },
      });
    });

    test('stops where it is shorter', async () => {
      await expect(judged(lines(0, 499))).rejects.toMatchObject({
        code: 'EOS_SOURCE_CHANGED',
        message: expect.stringContaining(`offset ${half}: it ends at ${Buffer.byteLength(lines(0, 499))}`),
        details: { differs: 'size' },
      });
    });

    test(`${verify === 'full' ? 'stops' : 'does not notice'} where only the middle is another`, async () => {
      const outcome = judged(lines(0, 1000).replace('"id":250', '"id":888'));
      if (verify === 'full') {
        await expect(outcome).rejects.toMatchObject({
          code: 'EOS_SOURCE_CHANGED',
          details: { differs: 'prefix' },
        });
      } else expect(ids((await outcome) as unknown[])).toEqual(count(500, 1000));
    });
  });

  test('may be verified in full from now on, or no more', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, 'data.ndjson');
      await writeFile(path, lines(0, 1000));
      const before = await readHalf(path);
      const [first, second] = await readBatches(ndjsonSource({ path, verify: 'full' }), {
        positions: after(before),
        limits: [100],
      });
      expect(first?.source['prefix']).toBe(sha256(Buffer.from(lines(0, 600))));
      expect(
        ids(await readRows(ndjsonSource({ path }), { positions: after(second as ReadBatch<unknown>) })),
      ).toEqual(count(700, 1000));
    });
  });

  test('stops where it is packed now, or where the position counts in no file', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, 'data');
      await writeFile(path, lines(0, 1000));
      const half = await readHalf(path);
      await writeFile(path, gzipSync(lines(0, 1000)));
      const packed = ndjsonSource({ path, compression: 'gzip' });
      await expect(readRows(packed, { positions: after(half) })).rejects.toMatchObject({
        code: 'EOS_SOURCE_CHANGED',
        details: { differs: 'compression' },
      });
      const positions = new Map([['data', position(10n, { kind: 'stdin', run: 'a' })]]);
      await expect(readRows(packed, { positions })).rejects.toMatchObject({
        code: 'EOS_SOURCE_CHANGED',
        details: { differs: 'kind', expected: 'file', found: 'stdin' },
      });
    });
  });

  test('that is replaced while it is read is read to its end, and noticed by the next run', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, 'data.ndjson');
      const old = Buffer.from(lines(0, 1000));
      await writeFile(path, old);
      const reader = await openReader(ndjsonSource({ path, chunkBytes: 1000 }));
      await reader.read({ rows: 1 });
      await unlink(path);
      await writeFile(path, lines(5000, 9000));
      const seen: unknown[] = [];
      let last;
      for (
        let batch = await reader.read({ rows: 100 });
        batch !== undefined;
        batch = await reader.read({ rows: 100 })
      ) {
        seen.push(...batch.rows);
        last = { ...batch, source: await batch.identity() };
      }
      await reader.close();
      expect(ids(seen)).toEqual(count(1, 1000));
      expect(last?.source).toMatchObject(identityAt(old, old.length));
      await expect(
        readRows(ndjsonSource({ path }), { positions: after(last as ReadBatch<unknown>) }),
      ).rejects.toMatchObject({
        code: 'EOS_SOURCE_CHANGED',
      });
    });
  });

  test('that is overwritten while it is read is digested as it was handed out, and one that is cut is noticed', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, 'data.ndjson');
      const old = Buffer.from(lines(0, 1000));
      await writeFile(path, old);
      const reader = await openReader(ndjsonSource({ path }));
      const batch = await reader.read({ rows: 500 });
      const handle = await open(path, 'r+');
      await handle.write(lines(3000, 3500), 0);
      await handle.close();
      expect(await batch?.identity()).toMatchObject({ head: identityAt(old, Number(batch?.next))['head'] });
      await truncate(path, 100);
      await expect(batch?.identity()).rejects.toMatchObject({
        code: 'EOS_SOURCE_CHANGED',
        details: { differs: 'size' },
      });
      await reader.close();
    });
  });
});

describe(`the digests of a prefix (EOS_TEST_SEED=${seed})`, () => {
  test('are those of its definition, however it is read', async () => {
    const steps = fc.array(fc.oneof(fc.nat(50), fc.nat(9000), fc.constantFrom(4095, 4096, 4097)));
    const property = fc.asyncProperty(steps, async (sizes) => {
      const text = randomBytes(sizes.reduce((sum, size) => sum + size, 0));
      const prefix = new Prefix(true);
      const snapshots = sizes.map((size) => {
        // The reader's buffer holds something else by the time the digests are computed.
        const buffer = Buffer.from(text.subarray(prefix.offset));
        prefix.advance(buffer, 0, size);
        buffer.fill(0);
        return { offset: prefix.offset, digests: prefix.snapshot() };
      });
      for (const { offset, digests } of snapshots) {
        const { head, tail } = identityAt(text, offset);
        expect(digests()).toEqual({ head, tail, prefix: sha256(text.subarray(0, offset)) });
      }
      await withFolder(async (folder) => {
        await writeFile(join(folder, 'data'), text);
        const handle = await open(join(folder, 'data'));
        for (const { offset } of snapshots) {
          const { head, tail } = identityAt(text, offset);
          expect((await Prefix.of(handle, offset)).snapshot()()).toEqual({ head, tail });
        }
        await handle.close();
      });
    });
    await fc.assert(property, { seed, numRuns: 50 });
  });
});

describe('a file that was read to its end', () => {
  test.each([{ name: 'data.ndjson' }, { name: 'data.ndjson.gz' }])(
    'says so, and is passed over ($name)',
    async ({ name }) => {
      await withFolder(async (folder) => {
        const path = join(folder, name);
        const text = Buffer.from(lines(0, 1000));
        const packed = name.endsWith('.gz') ? gzipInTwo(text) : undefined;
        await writeFile(path, packed ?? text);
        const last = (await readBatches(ndjsonSource({ path }))).at(-1) as ReadBatch<unknown>;
        expect(last.source).toMatchObject({ ...identityAt(text, text.length, packed), end: true });
        expect(await readRows(ndjsonSource({ path }), { positions: after(last) })).toEqual([]);
        await appendFile(path, packed === undefined ? line(1000) : gzipSync(line(1000)));
        expect(ids(await readRows(ndjsonSource({ path }), { positions: after(last) }))).toEqual([1000]);
      });
    },
  );

  test('is not unpacked again', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, 'data.ndjson.gz');
      const packed = gzipSync(lines(0, 100_000), { level: 0 });
      await writeFile(path, packed);
      const last = (await readBatches(ndjsonSource({ path }))).at(-1) as ReadBatch<unknown>;
      // What is in the middle is not looked at: it may as well be damaged.
      await writeFile(
        path,
        Buffer.concat([packed.subarray(0, 8000), Buffer.alloc(8000), packed.subarray(16_000)]),
      );
      expect(await readRows(ndjsonSource({ path }), { positions: after(last) })).toEqual([]);
      await expect(
        readRows(ndjsonSource({ path, verify: 'full' }), { positions: after(last) }),
      ).rejects.toThrow();
    });
  });

  test('says so at the commit of its last batch, even where the end was seen later', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, 'data.json');
      await writeFile(path, '[{"id":1},{"id":2}]\n');
      const reader = await openReader(jsonArraySource({ path }));
      const batch = await reader.read({ rows: 10 });
      expect(await reader.read({ rows: 10 })).toBeUndefined();
      expect(await batch?.identity()).toMatchObject({ end: true, size: '20' });
      await reader.close();
      expect(await batch?.identity()).toMatchObject({ end: true });
    });
  });
});

describe('a large file', () => {
  test('is sought, not read again, also beyond 4 GiB', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, 'data.ndjson');
      const offset = 2 ** 33 + 4321;
      const handle = await open(path, 'w');
      // A hole up to the offset: reading it would take more time than the test has.
      await handle.write(`\n${lines(7, 9)}`, offset - 1);
      await handle.close();
      const zeros = Buffer.alloc(4096);
      const tail = Buffer.alloc(4096);
      tail[4095] = 10;
      const source = { kind: 'file', size: String(offset), head: sha256(zeros), tail: sha256(tail) };
      const positions = new Map([['data.ndjson', position(BigInt(offset), source)]]);
      const [batch] = await readBatches(ndjsonSource({ path }), { positions });
      expect(ids(batch?.rows ?? [])).toEqual([7, 8]);
      expect([...(batch?.offsets ?? [])]).toEqual([BigInt(offset), BigInt(offset + line(7).length)]);
      expect(batch?.next).toBe(BigInt(offset + line(7).length + line(8).length));
    });
  }, 10_000);
});
