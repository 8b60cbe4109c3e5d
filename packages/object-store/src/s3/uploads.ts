import { createHash, randomUUID } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { EosError } from '@eos/core';
import { MAX_PAGE_SIZE } from '../checks.js';
import { openUpload } from '../upload-state.js';
import { crc32Of } from '../digest.js';
import type {
  CompleteOptions,
  CompleteResult,
  SealedUpload,
  Upload,
  UploadedPart,
  UploadEntry,
} from '../object-store.js';
import {
  nameOf,
  plainEtag,
  readError,
  statusOf,
  WATCHING,
  watching,
  writeError,
  type Attempts,
} from './answers.js';
import { MAX_PARTS, type Bucket } from './options.js';
import { holderOf, metadataOf, type OwnWrite } from './own-writes.js';
import { conditionHeaders, isRefusal, refused } from './puts.js';

export async function createUpload(target: Bucket, key: string, check: () => void): Promise<Upload> {
  const { client, bucket, prefix, partBytes } = target;
  const nonce = randomUUID();
  const where = { Bucket: bucket, Key: prefix + key };
  const create = new CreateMultipartUploadCommand({
    ...where,
    Metadata: metadataOf(nonce),
    ChecksumAlgorithm: 'CRC32',
  });
  const created = await client.send(create).catch((error: unknown) => {
    throw readError(error);
  });
  const id = created.UploadId;
  if (id === undefined)
    throw new EosError('EOS_UNAVAILABLE', 'the service gave no upload id', { retryable: true });

  const parts = partsOf(target, { key, id });
  const hash = createHash('sha256');
  let bytes = 0;
  let part = Buffer.alloc(0);
  let filled = 0;
  const state = openUpload(key, check);
  return {
    key,
    id,
    async write(chunk) {
      state.checkOpen();
      hash.update(chunk);
      bytes += chunk.length;
      for (let start = 0; start < chunk.length;) {
        if (filled === 0) part = Buffer.allocUnsafeSlow(partBytes);
        const taken = chunk.subarray(start, start + partBytes - filled);
        part.set(taken, filled);
        filled += taken.length;
        start += taken.length;
        if (filled < partBytes) continue;
        filled = 0;
        await parts.send(part);
      }
    },
    async seal(): Promise<SealedUpload> {
      state.seal();
      // An empty body is one empty part.
      if (filled > 0 || bytes === 0) await parts.send(part.subarray(0, filled));
      return { key, id, bytes, sha256: hash.digest('hex'), nonce, parts: await parts.all() };
    },
    async abort() {
      state.abort();
      await parts.all().catch(() => undefined);
      await abortUpload(target, { key, id });
    },
  };
}

interface Parts {
  /** Sends a part; returns when there is room for another. */
  send(body: Uint8Array): Promise<void>;
  /** All parts, in order, when the service has them. */
  all(): Promise<UploadedPart[]>;
}

function partsOf({ client, bucket, prefix, parallelParts }: Bucket, { key, id }: UploadEntry): Parts {
  const sent: UploadedPart[] = [];
  const underWay = new Set<Promise<void>>();
  let failure: EosError | undefined;
  let count = 0;
  const upload = async (number: number, body: Uint8Array): Promise<void> => {
    try {
      // Our own, because not every service answers with it, and some then ask for it on completion.
      const crc32 = crc32Of(body);
      const part = await client.send(
        new UploadPartCommand({
          Bucket: bucket,
          Key: prefix + key,
          UploadId: id,
          PartNumber: number,
          Body: body,
          ChecksumCRC32: crc32,
        }),
      );
      sent[number - 1] = { etag: plainEtag(part.ETag), crc32 };
    } catch (error) {
      failure ??= readError(error);
    }
  };
  const check = () => {
    if (failure !== undefined) throw failure;
  };
  return {
    async send(body) {
      check();
      if (++count > MAX_PARTS)
        throw new EosError('EOS_CONFIG', `an upload has at most ${MAX_PARTS} parts: raise partBytes`, {
          details: { option: 'partBytes' },
        });
      const part = upload(count, body);
      underWay.add(part);
      void part.then(() => underWay.delete(part));
      while (underWay.size >= parallelParts) await Promise.race(underWay);
      check();
    },
    async all() {
      await Promise.all(underWay);
      check();
      return sent;
    },
  };
}

export async function completeUpload(
  target: Bucket,
  sealed: SealedUpload,
  { condition, isKeyUnique = false }: CompleteOptions,
): Promise<CompleteResult> {
  const { key, id, bytes, sha256, nonce, parts = [] } = sealed;
  const attempts: Attempts = { lost: false };
  const own: OwnWrite = { key, nonce, bytes, sha256: () => sha256 };
  const command = new CompleteMultipartUploadCommand({
    Bucket: target.bucket,
    Key: target.prefix + key,
    UploadId: id,
    MultipartUpload: {
      Parts: parts.map(({ etag, crc32 }, index) => ({
        PartNumber: index + 1,
        ETag: `"${etag}"`,
        ...(crc32 === undefined ? {} : { ChecksumCRC32: crc32 }),
      })),
    },
    ...conditionHeaders(condition),
  });
  command.middlewareStack.add(watching(attempts), WATCHING);
  try {
    const { ETag: etag } = await target.client.send(command);
    if (isKeyUnique && etag !== undefined) return { stored: true, etag: plainEtag(etag) };
    // Not taken at its word: there are stores that call it a success when the upload is gone and any object has the key.
    return await gone(target, own, undefined);
  } catch (error) {
    if (condition !== undefined && isRefusal(error)) return await refused(target, own, condition, attempts);
    if (nameOf(error) === 'NoSuchUpload') return await gone(target, own, undefined);
    if (statusOf(error) === 409) return await gone(target, own, condition);
    if (attempts.lost && (await isForgotten(target, sealed))) return await gone(target, own, undefined);
    throw writeError(error, attempts);
  }
}

/** Whether nothing can come of an upload any more: then its object tells all. */
async function isForgotten({ client, bucket, prefix }: Bucket, { key, id }: UploadEntry): Promise<boolean> {
  try {
    await client.send(new ListPartsCommand({ Bucket: bucket, Key: prefix + key, UploadId: id, MaxParts: 1 }));
    return false;
  } catch (error) {
    return nameOf(error) === 'NoSuchUpload';
  }
}

/**
 * The service does not know the upload: it was completed, or aborted, or expired. Or it met another write of the key, and S3 wants a
 * new upload then. The object tells.
 */
async function gone(
  target: Bucket,
  own: OwnWrite,
  condition: CompleteOptions['condition'],
): Promise<CompleteResult> {
  const holder = await holderOf(target, own);
  if (holder.whose === 'own') return { stored: true, etag: holder.etag };
  if (holder.whose === 'other' && condition !== undefined && 'ifAbsent' in condition)
    return { stored: false };
  return { stored: false, vanished: true };
}

export async function abortUpload(
  { client, bucket, prefix }: Bucket,
  { key, id }: UploadEntry,
): Promise<void> {
  try {
    await client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: prefix + key, UploadId: id }));
  } catch (error) {
    if (nameOf(error) !== 'NoSuchUpload' && statusOf(error) !== 404) throw readError(error);
  }
}

export async function* listUploads(
  { client, bucket, prefix }: Bucket,
  selected: string,
): AsyncGenerator<readonly UploadEntry[]> {
  let from: { KeyMarker?: string; UploadIdMarker?: string } = {};
  for (;;) {
    const command = new ListMultipartUploadsCommand({
      Bucket: bucket,
      Prefix: prefix + selected,
      MaxUploads: MAX_PAGE_SIZE,
      ...from,
    });
    const answer = await client.send(command).catch((error: unknown) => {
      throw readError(error);
    });
    const page: UploadEntry[] = [];
    for (const { Key, UploadId } of answer.Uploads ?? [])
      // A store may not know prefixes here.
      if (Key?.startsWith(prefix + selected) === true && UploadId !== undefined)
        page.push({ key: Key.slice(prefix.length), id: UploadId });
    if (page.length > 0) yield page;
    if (answer.IsTruncated !== true || answer.NextKeyMarker === undefined) return;
    const next = answer.NextUploadIdMarker;
    from = { KeyMarker: answer.NextKeyMarker, ...(next === undefined ? {} : { UploadIdMarker: next }) };
  }
}
