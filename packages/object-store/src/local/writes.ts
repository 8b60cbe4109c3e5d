import { dirname } from 'node:path';
import { sha256Of } from '../digest.js';
import type { PutCondition, PutResult } from '../object-store.js';
import { emptyToken, withClaim, type Claim } from './claims.js';
import { codeOf, ifThere, orUnknown } from './file-errors.js';
import type { Files } from './files.js';
import { objectPath, type Place } from './place.js';

/** A body to be published: bytes, or a durable file that keeps its own name too. */
export interface NewBody {
  /** Makes a durable file of it, at a path on the same file system. */
  readonly place: (path: string) => Promise<void>;
  readonly etag: string;
}

export function bodyOfBytes(files: Files, bytes: Uint8Array): NewBody {
  return { place: (path) => files.create(path, bytes), etag: sha256Of(bytes) };
}

export async function putObject(
  place: Place,
  key: string,
  body: NewBody,
  condition: PutCondition | undefined,
): Promise<PutResult> {
  const path = objectPath(place, key);
  await place.folders.ensure(dirname(path));
  if (condition !== undefined && 'ifAbsent' in condition) return await putAbsent(place, path, body);
  return await replace(place, key, path, body, condition?.ifMatch);
}

/** One link: it fails where the name is there, whoever made it, so that no claim is needed. */
async function putAbsent(
  { files, folders }: Place,
  path: string,
  { place, etag }: NewBody,
): Promise<PutResult> {
  const temporary = await folders.newTemporary();
  try {
    await place(temporary);
    const stored = await linked(files, temporary, path);
    // Not to be told of a winner that the loss of power could still take back.
    await orUnknown(() => files.syncFolder(dirname(path)));
    return stored ? { stored, etag } : { stored };
  } finally {
    await files.unlink(temporary).catch(() => undefined);
  }
}

/** A link over a network may have been made although it says that the name was there: then the file has it. */
async function linked(files: Files, from: string, to: string): Promise<boolean> {
  try {
    await files.link(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    const [own, found] = [await files.stat(from), await ifThere(files.stat(to))];
    return own.identity === found?.identity;
  }
}

async function replace(
  claimed: Place,
  key: string,
  path: string,
  { place, etag }: NewBody,
  ifMatch: string | undefined,
): Promise<PutResult> {
  const { files } = claimed;
  const result = await withClaim<PutResult>(claimed, key, place, async (claim: Claim) => {
    if (ifMatch !== undefined) {
      const found = await ifThere(files.readFile(path));
      if (found === undefined || sha256Of(found) !== ifMatch) return { done: { stored: false } };
    }
    return (await claim.publish(path)) ? { done: { stored: true, etag } } : 'again';
  });
  if (result.stored) await orUnknown(() => files.syncFolder(dirname(path)));
  return result;
}

/** How many objects are deleted at a time. */
const DELETED_AT_ONCE = 8;

/** Deletes objects; each folder is made durable once. */
export async function deleteObjects(place: Place, keys: readonly string[]): Promise<void> {
  const changed = new Set<string>();
  const waiting = [...new Set(keys)];
  const deleteNext = async (): Promise<void> => {
    for (let key = waiting.shift(); key !== undefined; key = waiting.shift())
      if (await deleteObject(place, key)) changed.add(dirname(objectPath(place, key)));
  };
  await Promise.all(Array.from({ length: Math.min(DELETED_AT_ONCE, waiting.length) }, deleteNext));
  for (const folder of changed) await orUnknown(() => place.files.syncFolder(folder));
}

/** Returns whether there was one. */
async function deleteObject(place: Place, key: string): Promise<boolean> {
  const { files } = place;
  const path = objectPath(place, key);
  if ((await ifThere(files.stat(path)))?.isFile !== true) return false;
  await withClaim(place, key, emptyToken(files), async (claim) => {
    if (await claim.remove(path)) return { done: undefined };
    return (await ifThere(files.stat(path))) === undefined ? { done: undefined } : 'again';
  });
  return true;
}
