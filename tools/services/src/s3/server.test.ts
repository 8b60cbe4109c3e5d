import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { startS3 } from './server.js';
import type { S3Program, S3Server } from './types.js';

const isIncluded = process.env.EOS_TEST_ALL_SERVICES === '1';
if (!isIncluded) process.stderr.write('skipped, the start of object stores: set EOS_TEST_ALL_SERVICES=1\n');

const programs: S3Program[] = ['versitygw', 'moto'];

(isIncluded ? describe : describe.skip).each(programs)('the object store %s', (program) => {
  let server: S3Server;
  let client: S3Client;

  const clientWith = (secretAccessKey: string): S3Client => {
    const { endpoint, region, accessKeyId } = server;
    return new S3Client({
      endpoint,
      region,
      forcePathStyle: true,
      credentials: { accessKeyId, secretAccessKey },
    });
  };
  const put = (Key: string, Body: string): Promise<unknown> =>
    client.send(new PutObjectCommand({ Bucket: server.bucket, Key, Body, IfNoneMatch: '*' }));
  const get = async (Key: string, from = client): Promise<string | undefined> => {
    const { Body } = await from.send(new GetObjectCommand({ Bucket: server.bucket, Key }));
    return Body?.transformToString();
  };

  beforeAll(async () => {
    server = await startS3({ program });
    client = clientWith(server.secretAccessKey);
  }, 600_000);

  afterAll(async () => {
    client.destroy();
    await server.stop();
    expect(existsSync(dirname(server.logFile))).toBe(false);
  }, 60_000);

  test('puts an object once', async () => {
    await put('folder/object', 'first');
    await expect(put('folder/object', 'second')).rejects.toMatchObject({ name: 'PreconditionFailed' });
    expect(await get('folder/object')).toBe('first');
  });

  test('is there again after a restart and after being killed', async () => {
    await server.restart();
    await put('restarted', 'yes');
    await server.kill();
    await server.start();
    if (program === 'moto') await expect(get('restarted')).rejects.toMatchObject({ name: 'NoSuchKey' });
    else expect(await get('restarted')).toBe('yes');
  }, 60_000);

  // moto has neither files nor an opinion on credentials.
  (program === 'versitygw' ? test : test.skip)(
    'has its objects as files, and refuses a wrong secret',
    async () => {
      await put('file', 'content');
      expect(await readFile(join(server.directory ?? '', 'file'), 'utf8')).toBe('content');
      await expect(get('file', clientWith('wrong'))).rejects.toMatchObject({
        $metadata: { httpStatusCode: 403 },
      });
    },
  );
});
