/** `visibility: 'listing'` where the store loses uploads, or would. */
import { memoryBucket, memoryObjectStore, type MemoryBucket, type ObjectStore } from '@eos/object-store';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { flights, flightsOf, PREFIX, Writer } from '../commits.testing.js';
import { s3Sink } from '../index.js';
import { openTable } from '../reader/open-table.js';
import { listedFiles } from '../reading.testing.js';

const DAY_MS = 86_400_000;

let bucket: MemoryBucket;
let store: ObjectStore;
let isCompleting: boolean;
beforeEach(() => {
  bucket = memoryBucket();
  isCompleting = true;
  const inner = memoryObjectStore(bucket);
  // A writer that dies between its entry and its completions.
  store = {
    ...inner,
    complete: async (upload, options) => {
      if (!isCompleting) throw new Error('dead');
      return await inner.complete(upload, options);
    },
  };
});

const options = () =>
  ({ prefix: PREFIX, schema: flights, store, visibility: 'listing', roll: { rows: 5 } }) as const;

async function idsOf(): Promise<number[]> {
  const ids: number[] = [];
  for await (const rows of (await openTable(store, PREFIX)).rows())
    ids.push(...rows.map(({ id }) => Number(id)));
  return ids.sort((a, b) => a - b);
}

const upTo = (end: number) => Array.from({ length: end }, (_, id) => id);

/** Two commits of two files each, the second of which nobody has completed. */
async function halfDone(): Promise<Writer> {
  const writer = await Writer.open(options());
  await writer.commit(flightsOf(0, 10));
  expect(await listedFiles(store, PREFIX)).toHaveLength(2);
  isCompleting = false;
  await writer.commit(flightsOf(10, 20));
  isCompleting = true;
  expect(await listedFiles(store, PREFIX)).toHaveLength(2);
  expect(bucket.uploads.size).toBe(2);
  return writer;
}

describe('uploads of a commit that are not complete', () => {
  test('are completed by the next claim', async () => {
    await halfDone();
    const next = await Writer.open(options());
    expect(next.session.positions.get('0')).toMatchObject({ epoch: 2n, offset: 20n });
    expect(await listedFiles(store, PREFIX)).toHaveLength(4);
    expect(await idsOf()).toEqual(upTo(20));
  });

  test('are completed by the writer before its next commit', async () => {
    const writer = await halfDone();
    const { commit } = await writer.prepared(flightsOf(20, 30));
    expect(await listedFiles(store, PREFIX)).toHaveLength(4);
    await commit();
    expect(await listedFiles(store, PREFIX)).toHaveLength(6);
  });

  test('and gone, all of them or one: the commit is taken back, and its range is written again', async () => {
    for (const lost of ['all', 'one'] as const) {
      bucket.objects.clear();
      bucket.uploads.clear();
      const dead = await halfDone();
      const [first] = bucket.uploads.keys();
      if (lost === 'all') bucket.uploads.clear();
      else if (first !== undefined) bucket.uploads.delete(first);
      const next = await Writer.open(options());
      // One commit more, from where the one before had ended.
      expect(next.session.positions.get('0')).toMatchObject({ epoch: 3n, offset: 10n });
      expect(await listedFiles(store, PREFIX)).toHaveLength(2);
      expect(bucket.uploads.size).toBe(0);
      await next.commit(flightsOf(10, 25));
      expect(await idsOf()).toEqual(upTo(25));
      expect(await listedFiles(store, PREFIX)).toHaveLength(5);
      await expect(dead.commit(flightsOf(20, 30))).rejects.toMatchObject({ retryable: true });
      expect(await idsOf()).toEqual(upTo(25));
    }
  });

  test('and gone, where others are visible already: nobody goes on', async () => {
    const writer = await halfDone();
    const [first, second] = [...bucket.uploads.values()];
    if (first?.body === undefined || second === undefined) throw new Error('two uploads are there');
    // Completed, as far as a listing shows; the other was aborted by a rule.
    bucket.objects.set(first.key, { body: first.body, etag: 'etag', lastModified: new Date() });
    bucket.uploads.clear();
    await expect(Writer.open(options())).rejects.toMatchObject({
      code: 'EOS_TARGET_CHANGED',
      retryable: false,
      message: expect.stringContaining('of the 2 files'),
    });
    expect(await listedFiles(store, PREFIX)).toHaveLength(3);
    await writer.close();
  });
});

describe('a rule of the store that aborts uploads', () => {
  const opened = async (lifetime: number) => {
    const ruled: ObjectStore = { ...store, uploadLifetime: async () => lifetime };
    const sink = await s3Sink({ ...options(), store: ruled }).open({ pipeline: 'test', sink: 'files' });
    await sink.close();
  };

  test('after less than a week is refused before anything is written', async () => {
    await expect(opened(6 * DAY_MS)).rejects.toMatchObject({
      code: 'EOS_CONFIG',
      details: { option: 'visibility' },
      message: expect.stringContaining('after 6 days'),
    });
    expect(bucket.objects.size).toBe(0);
    await opened(7 * DAY_MS);
    await opened(Infinity);
  });
});
