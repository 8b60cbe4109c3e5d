import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { crc32Of, sha256Of } from '../digest.js';
import type { PutCondition, PutResult } from '../object-store.js';
import {
  plainEtag,
  statusOf,
  unknownOutcome,
  WATCHING,
  watching,
  writeError,
  nameOf,
  type Attempts,
} from './answers.js';
import type { Bucket } from './options.js';
import { holderOf, metadataOf, type OwnWrite } from './own-writes.js';

/** How often a put is sent again that met another one of the same key (409). */
const MAX_CONFLICTS = 8;
const CONFLICT_PAUSE_MS = 50;

/** The headers of a condition. */
export function conditionHeaders(condition: PutCondition | undefined): {
  IfNoneMatch?: '*';
  IfMatch?: string;
} {
  if (condition === undefined) return {};
  return 'ifAbsent' in condition ? { IfNoneMatch: '*' } : { IfMatch: `"${condition.ifMatch}"` };
}

/** The service says that the condition is not met. `NoSuchKey`: `ifMatch` where there is no object. */
export function isRefusal(error: unknown): boolean {
  return (
    statusOf(error) === 412 || (statusOf(error) === 404 && ['NoSuchKey', 'NotFound'].includes(nameOf(error)))
  );
}

export async function putObject(
  target: Bucket,
  key: string,
  body: Uint8Array,
  condition: PutCondition | undefined,
): Promise<PutResult> {
  const nonce = randomUUID();
  const attempts: Attempts = { lost: false };
  const own: OwnWrite = { key, nonce, bytes: body.length, sha256: () => sha256Of(body) };
  for (let conflicts = 0; ; conflicts++) {
    const command = new PutObjectCommand({
      Bucket: target.bucket,
      Key: target.prefix + key,
      Body: body,
      Metadata: metadataOf(nonce),
      ChecksumCRC32: crc32Of(body),
      ...conditionHeaders(condition),
    });
    command.middlewareStack.add(watching(attempts), WATCHING);
    try {
      return { stored: true, etag: plainEtag((await target.client.send(command)).ETag) };
    } catch (error) {
      if (condition !== undefined && isRefusal(error)) return await refused(target, own, condition, attempts);
      // Another write of the key was under way: which of the two came first, the next attempt tells.
      if (condition === undefined || statusOf(error) !== 409 || conflicts >= MAX_CONFLICTS)
        throw writeError(error, attempts);
      await delay(Math.random() * CONFLICT_PAUSE_MS * (conflicts + 1));
    }
  }
}

/** What a refusal means: somebody else's write, or one's own whose answer was lost. */
export async function refused(
  target: Bucket,
  own: OwnWrite,
  condition: PutCondition,
  { lost }: Attempts,
): Promise<PutResult> {
  const holder = await holderOf(target, own);
  if (holder.whose === 'own') return { stored: true, etag: holder.etag };
  // Nothing was lost: this was the only answer. Or ifAbsent, and somebody else's object is there.
  if (!lost || (holder.whose === 'other' && 'ifAbsent' in condition)) return { stored: false };
  throw unknownOutcome(`the first answer was lost, and ${own.key} has changed since`);
}
