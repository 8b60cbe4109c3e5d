/**
 * A client repeats a write whose answer was lost, and is then told that its condition is not met: by its own write. So every write carries
 * a random number in the object's metadata, by which it is known again; where a store drops metadata, the body tells.
 */
import { createHash } from 'node:crypto';
import { GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { ifFound, plainEtag, readError } from './answers.js';
import type { Bucket } from './options.js';

const NONCE = 'eos-put';

export function metadataOf(nonce: string): Record<string, string> {
  return { [NONCE]: nonce };
}

/** The write to look for. */
export interface OwnWrite {
  readonly key: string;
  readonly nonce: string | undefined;
  readonly bytes: number;
  readonly sha256: () => string;
}

/** Whose object it is that lies under the key: `etag` with one's own. */
export type Holder =
  { readonly whose: 'own'; readonly etag: string } | { readonly whose: 'other' | 'nobody' };

export async function holderOf(target: Bucket, own: OwnWrite): Promise<Holder> {
  const { client, bucket, prefix } = target;
  const where = { Bucket: bucket, Key: prefix + own.key };
  const head = await ifFound(client.send(new HeadObjectCommand(where)));
  if (head === undefined) return { whose: 'nobody' };
  const etag = plainEtag(head.ETag);
  const nonce = head.Metadata?.[NONCE];
  if (nonce !== undefined) return nonce === own.nonce ? { whose: 'own', etag } : { whose: 'other' };
  if (head.ContentLength !== own.bytes) return { whose: 'other' };
  const digest = await digestOf(target, own.key);
  return digest === own.sha256() ? { whose: 'own', etag } : { whose: 'other' };
}

/** SHA-256 of an object's body, in hex, read in chunks. */
async function digestOf({ client, bucket, prefix }: Bucket, key: string): Promise<string | undefined> {
  const found = await ifFound(client.send(new GetObjectCommand({ Bucket: bucket, Key: prefix + key })));
  if (found?.Body === undefined) return undefined;
  const hash = createHash('sha256');
  try {
    // In Node the body is a Readable of bytes, as the client documents.
    for await (const chunk of found.Body as AsyncIterable<Uint8Array>) hash.update(chunk);
  } catch (error) {
    throw readError(error);
  }
  return hash.digest('hex');
}
