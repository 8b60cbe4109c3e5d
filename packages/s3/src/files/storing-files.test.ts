/** The end of a transaction's files: how they are stored, and what does not get there. */
import { setTimeout as delay } from 'node:timers/promises';
import { rowSchema, t } from '@eos/core';
import { memoryBucket, memoryObjectStore, type ObjectStore } from '@eos/object-store';
import { describe, expect, test } from '@jest/globals';
import { createDataFiles } from './data-files-writer.js';
import type { DataFiles } from './data-files.js';
import { checkFileOptions, type FileOptions } from './settings.js';

const schema = rowSchema({ id: t.int32(), name: t.string() });
interface Row {
  readonly id: number;
  readonly name?: string;
}

function filesIn(
  store: ObjectStore,
  options: Partial<FileOptions<(typeof schema)['columns']>> & { mode?: 'upsert'; key?: string[] } = {},
): DataFiles<Row> {
  const settings = checkFileOptions({ ...options, schema } as Parameters<typeof checkFileOptions>[0]);
  return createDataFiles<Row>({ store, prefix: '', seen: 0n, pending: false }, settings);
}

const rows = Array.from({ length: 12 }, (_, id): Row => ({ id, name: `row ${id}` }));

describe('files of several folders', () => {
  test('are stored side by side, and stay in their order', async () => {
    const inner = memoryObjectStore();
    let [underWay, most] = [0, 0];
    const slow: ObjectStore = {
      ...inner,
      async put(key, body, options) {
        most = Math.max(most, ++underWay);
        // The first ones take longest.
        await delay(80 / underWay);
        underWay -= 1;
        return await inner.put(key, body, options);
      },
    };
    const files = filesIn(slow, { partitionBy: ['id'] });
    await files.write({ partition: '0', rows });
    const stored = await files.seal();
    expect(stored.map(({ partition }) => Number(partition?.['id']))).toEqual(rows.map(({ id }) => id));
    expect(most).toBe(8);
  });

  test('that are given up while they are stored leave nothing, and no other is begun', async () => {
    const bucket = memoryBucket();
    const inner = memoryObjectStore(bucket);
    let puts = 0;
    const slow: ObjectStore = {
      ...inner,
      async put(key, body, options) {
        puts += 1;
        const result = await inner.put(key, body, options);
        await delay(20);
        return result;
      },
    };
    const files = filesIn(slow, { partitionBy: ['id'] });
    await files.write({ partition: '0', rows });
    const sealing = files.seal();
    await delay(1);
    await files.abort();
    await sealing;
    expect([puts, bucket.objects.size]).toEqual([8, 0]);
  });
});

describe('a file that the store has not got in the end', () => {
  test.each([
    ['small', 'x'],
    ['large', 'x'.repeat(9 * 2 ** 20)],
  ])('is not handed on to be committed (%s)', async (_, name) => {
    const inner = memoryObjectStore();
    const store: ObjectStore = {
      ...inner,
      async put(key, body, options) {
        await inner.put(key, Buffer.from('of a stranger'));
        return await inner.put(key, body, options);
      },
      // As a rule of the bucket does.
      async complete(upload, options) {
        await inner.abortUploads([upload]);
        return await inner.complete(upload, options);
      },
    };
    const files = filesIn(store);
    await files.write({ partition: '0', rows: [{ id: 1, name }] });
    await expect(files.seal()).rejects.toMatchObject({ code: 'EOS_UNAVAILABLE', retryable: true });
  });
});

test.each(['ndjson', 'csv', 'parquet'] as const)(
  'a change that does not fit is named by its own offset (%s)',
  async (format) => {
    const files = filesIn(memoryObjectStore(), { mode: 'upsert', key: ['id'], format });
    const offsets = BigInt64Array.of(10n, 11n, 12n);
    await expect(
      files.write({ partition: '0', rows: [{ id: 1, name: 'a' }, { id: 2, name: 'b' }, { id: 3 }], offsets }),
    ).rejects.toMatchObject({ code: 'EOS_ROW', details: { partition: '0', offset: 12n, column: 'name' } });
  },
);
