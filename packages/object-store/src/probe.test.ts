import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeWith, missingForS3, startS3 } from '@eos/services';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isEosError } from '@eos/core';
import { memoryBucket, memoryObjectStore } from './memory-store.js';
import type { ObjectStore, PutResult } from './object-store.js';
import { probeObjectStore } from './probe.js';
import { s3ObjectStore } from './s3/s3-store.js';

test('a safe store passes, and is left as it was', async () => {
  const bucket = memoryBucket();
  await probeObjectStore(memoryObjectStore(bucket));
  expect([bucket.objects.size, bucket.uploads.size]).toEqual([0, 0]);
});

/** Stores that look safe as long as nobody comes at the same time. */
const racing: Record<string, (store: ObjectStore) => Partial<ObjectStore>> = {
  'checks, then puts': (store) => ({
    async put(key, body, { condition } = {}): Promise<PutResult> {
      const found = await store.get(key);
      await new Promise((resolve) => setImmediate(resolve));
      if (condition !== undefined) {
        const isMet = 'ifAbsent' in condition ? found === undefined : found?.etag === condition.ifMatch;
        if (!isMet) return { stored: false };
      }
      return await store.put(key, body);
    },
  }),
  'completes without comparing': (store) => ({ complete: (upload) => store.complete(upload) }),
  'answers one, and keeps another': (store) => ({
    async put(key, body, options) {
      const result = await store.put(key, body, options);
      if (key.includes('absent') && !result.stored) await store.put(key, body);
      return result;
    },
  }),
};

test.each(Object.keys(racing))('a store that %s is refused by a race', async (name) => {
  const store = memoryObjectStore();
  const unsafe = { ...store, ...racing[name]?.(store) };
  await expect(probeObjectStore(unsafe)).rejects.toMatchObject({
    code: 'EOS_STORE_UNSAFE',
    retryable: false,
  });
});

test('an option out of range is refused', async () => {
  for (const options of [{ racers: 1 }, { rounds: 0 }, { bytes: -1 }])
    await expect(probeObjectStore(memoryObjectStore(), options)).rejects.toMatchObject({
      code: 'EOS_CONFIG',
    });
});

/** What is used of s3rver, which has no types. */
interface S3rver {
  run(): Promise<{ readonly port: number }>;
  close(): Promise<void>;
}
type S3rverModule = { readonly default: new (options: object) => S3rver };

describe('s3rver, which ignores conditions', () => {
  let directory: string;
  let server: S3rver;
  let store: ObjectStore;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'eos-s3rver-'));
    // Not a literal: the compiler would look for types.
    const name: string = 's3rver';
    const { default: Server } = (await import(name)) as S3rverModule;
    server = new Server({
      port: 0,
      address: '127.0.0.1',
      silent: true,
      directory,
      configureBuckets: [{ name: 'bucket', configs: [] }],
    });
    const { port } = await server.run();
    store = s3ObjectStore({
      bucket: 'bucket',
      client: {
        endpoint: `http://127.0.0.1:${port}`,
        region: 'us-east-1',
        forcePathStyle: true,
        credentials: { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' },
        // It takes neither checksums behind the body nor their headers.
        requestChecksumCalculation: 'WHEN_REQUIRED',
      },
    });
  });

  afterAll(async () => {
    await store.close();
    await server.close();
    await rm(directory, { recursive: true, force: true });
  });

  test('is refused', async () => {
    await expect(probeObjectStore(store)).rejects.toMatchObject({
      code: 'EOS_STORE_UNSAFE',
      details: { fault: 'ignores If-None-Match: a second put if absent was stored' },
    });
  });
});

// A lone second put gets its 412 there: only a race shows that the store does not compare.
describeWith(
  { describe, beforeAll, afterAll },
  's3mock',
  missingForS3('s3mock'),
  () => startS3({ program: 's3mock' }),
  (getServer) => {
    test('Adobe S3Mock, which lets several racers win, is refused 20 times in a row', async () => {
      const { endpoint, region, accessKeyId, secretAccessKey, bucket } = getServer();
      const credentials = { accessKeyId, secretAccessKey };
      const store = s3ObjectStore({
        bucket,
        client: { endpoint, region, forcePathStyle: true, credentials },
      });
      for (let attempt = 1; attempt <= 20; attempt++) {
        const faultOf = (error: unknown) =>
          isEosError(error) && error.code === 'EOS_STORE_UNSAFE' ? error.details['fault'] : error;
        const fault = await probeObjectStore(store).then(() => 'passed the probe', faultOf);
        expect({ attempt, fault }).toEqual({
          attempt,
          fault: expect.stringMatching(/racing|than that of the writer/),
        });
      }
      await store.close();
    });
  },
);
