import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
} from '@aws-sdk/client-s3';
import { EosError } from '@eos/core';
import { MAX_PAGE_SIZE } from '../checks.js';
import type { ByteRange, ObjectEntry, StoredObject } from '../object-store.js';
import { ifFound, plainEtag, readError, statusOf } from './answers.js';
import type { Bucket } from './options.js';

/** How often a body is asked for that ends too early; the client does not repeat that by itself. */
const MAX_READS = 4;

export async function getObject(
  { client, bucket, prefix }: Bucket,
  key: string,
  range?: ByteRange,
): Promise<StoredObject | undefined> {
  const where = {
    Bucket: bucket,
    Key: prefix + key,
    ...(range === undefined ? {} : { Range: rangeHeader(range) }),
  };
  for (let reads = 1; ; reads++) {
    const found = await ifFound(client.send(new GetObjectCommand(where)));
    if (found?.Body === undefined) return undefined;
    try {
      return { body: await found.Body.transformToByteArray(), etag: plainEtag(found.ETag) };
    } catch (error) {
      if (reads >= MAX_READS) throw readError(error);
    }
  }
}

function rangeHeader(range: ByteRange): string {
  return 'last' in range ? `bytes=-${range.last}` : `bytes=${range.start}-${range.end - 1}`;
}

export async function readRange(
  target: Bucket,
  key: string,
  range: ByteRange,
): Promise<Uint8Array | undefined> {
  try {
    return (await getObject(target, key, range))?.body;
  } catch (error) {
    // The object ends before the range, or is empty.
    if (error instanceof Error && statusOf(error.cause) === 416) return new Uint8Array(0);
    throw error;
  }
}

export async function headObject(
  { client, bucket, prefix }: Bucket,
  key: string,
): Promise<ObjectEntry | undefined> {
  const found = await ifFound(client.send(new HeadObjectCommand({ Bucket: bucket, Key: prefix + key })));
  return found && { key, bytes: found.ContentLength ?? 0, lastModified: found.LastModified ?? new Date(0) };
}

export async function* listObjects(
  { client, bucket, prefix }: Bucket,
  selection: { readonly prefix: string; readonly startAfter: string | undefined; readonly pageSize: number },
): AsyncGenerator<readonly ObjectEntry[]> {
  let startAfter = selection.startAfter;
  for (;;) {
    const command = new ListObjectsV2Command({
      Bucket: bucket,
      Prefix: prefix + selection.prefix,
      MaxKeys: selection.pageSize,
      // Not a continuation token: a page begins above a key, whatever came and went.
      ...(startAfter === undefined ? {} : { StartAfter: prefix + startAfter }),
    });
    const answer = await client.send(command).catch((error: unknown) => {
      throw readError(error);
    });
    const page: ObjectEntry[] = [];
    for (const { Key, Size, LastModified } of answer.Contents ?? [])
      if (Key !== undefined && !Key.endsWith('/'))
        page.push({
          key: Key.slice(prefix.length),
          bytes: Size ?? 0,
          lastModified: LastModified ?? new Date(0),
        });
    if (page.length > 0) yield page;
    const last = answer.Contents?.at(-1)?.Key?.slice(prefix.length);
    if (answer.IsTruncated !== true || last === undefined) return;
    startAfter = last;
  }
}

export async function deleteObjects(
  { client, bucket, prefix }: Bucket,
  keys: readonly string[],
): Promise<void> {
  const unique = [...new Set(keys)];
  for (let start = 0; start < unique.length; start += MAX_PAGE_SIZE) {
    const Objects = unique.slice(start, start + MAX_PAGE_SIZE).map((key) => ({ Key: prefix + key }));
    const command = new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } });
    const answer = await client.send(command).catch((error: unknown) => {
      throw readError(error);
    });
    const failed = answer.Errors?.find(({ Code }) => Code !== 'NoSuchKey');
    if (failed === undefined) continue;
    const message = `${failed.Key ?? 'an object'} was not deleted: ${failed.Code ?? ''} ${failed.Message ?? ''}`;
    if (failed.Code === 'AccessDenied') throw new EosError('EOS_PERMISSION', message);
    throw new EosError('EOS_UNAVAILABLE', message, { retryable: true });
  }
}
