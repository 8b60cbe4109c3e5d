import { randomUUID } from 'node:crypto';
import { PutBucketLifecycleConfigurationCommand, S3Client, type LifecycleRule } from '@aws-sdk/client-s3';
import { describeWith, missingForS3, startS3 } from '@eos/services';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { s3ObjectStore } from './s3-store.js';

const DAY_MS = 86_400_000;

// Of the servers that need no container, the one that knows rules.
const start = () => startS3({ program: 'moto' });
describeWith({ describe, beforeAll, afterAll }, 'moto', missingForS3('moto'), start, (getServer) => {
  let client: S3Client;
  let bucket: string;

  beforeEach(async () => {
    const { endpoint, region, accessKeyId, secretAccessKey } = getServer();
    const credentials = { accessKeyId, secretAccessKey };
    client = new S3Client({ endpoint, region, forcePathStyle: true, credentials });
    bucket = randomUUID();
    // moto lets anybody make a bucket.
    const made = await fetch(`${endpoint}/${bucket}`, { method: 'PUT' });
    expect(made.ok).toBe(true);
  });

  afterEach(() => {
    client.destroy();
  });

  const rule = (ID: string, days: number, Filter: LifecycleRule['Filter'], isOn = true): LifecycleRule => ({
    ID,
    Status: isOn ? 'Enabled' : 'Disabled',
    Filter,
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: days },
  });

  const lifetime = async (rules: LifecycleRule[], prefix: string, storePrefix = '') => {
    if (rules.length > 0)
      await client.send(
        new PutBucketLifecycleConfigurationCommand({
          Bucket: bucket,
          LifecycleConfiguration: { Rules: rules },
        }),
      );
    const store = s3ObjectStore({ bucket, client, prefix: storePrefix });
    return await store.uploadLifetime?.(prefix);
  };

  test('without rules, uploads stay for ever', async () => {
    expect(await lifetime([], 'tables/')).toBe(Infinity);
  });

  test('the rule that aborts first counts, of those whose prefix has to do with the one asked for', async () => {
    const rules = [
      rule('all', 30, { Prefix: '' }),
      rule('above', 20, { Prefix: 'tables/' }),
      rule('below', 10, { Prefix: 'tables/flights/date=' }),
      rule('beside', 1, { Prefix: 'tables/other/' }),
      rule('off', 2, { Prefix: 'tables/flights/' }, false),
    ];
    expect(await lifetime(rules, 'tables/flights/')).toBe(10 * DAY_MS);
    expect(await lifetime([], 'flights/', 'tables/')).toBe(10 * DAY_MS);
    expect(await lifetime([], 'elsewhere/')).toBe(30 * DAY_MS);
  });

  test('a rule that only expires objects aborts nothing', async () => {
    const expiring: LifecycleRule = {
      ID: 'expire',
      Status: 'Enabled',
      Filter: { Prefix: '' },
      Expiration: { Days: 1 },
    };
    expect(await lifetime([expiring], 'tables/')).toBe(Infinity);
  });
});
