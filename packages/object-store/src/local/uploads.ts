import { createHash, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { MAX_PAGE_SIZE } from '../checks.js';
import { openUpload } from '../upload-state.js';
import { sha256Of } from '../digest.js';
import { compareKeys } from '../keys.js';
import type { CompleteResult, PutCondition, SealedUpload, Upload, UploadEntry } from '../object-store.js';
import { codeOf, ifThere, orUnavailable } from './file-errors.js';
import { objectPath, type Place } from './place.js';
import { putObject } from './writes.js';

/** In an upload's folder. */
const KEY_FILE = 'key';
const BODY_FILE = 'body';

const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** An upload is a folder with its key and its body. It gets its name when the key is in it. */
export async function createUpload(
  { files, folders }: Place,
  key: string,
  check: () => void,
): Promise<Upload> {
  const id = randomUUID();
  const folder = join(folders.uploads, id);
  await folders.ensure(folders.uploads);
  const temporary = await folders.newTemporary();
  await files.makeFolder(temporary);
  await files.create(join(temporary, KEY_FILE), Buffer.from(key));
  await files.rename(temporary, folder);
  await files.syncFolder(folders.uploads);
  const body = await files.open(join(folder, BODY_FILE));
  const hash = createHash('sha256');
  let bytes = 0;
  const state = openUpload(key, check);
  return {
    key,
    id,
    write: (chunk) =>
      orUnavailable(async () => {
        state.checkOpen();
        hash.update(chunk);
        bytes += chunk.length;
        await body.append(chunk);
      }),
    seal: () =>
      orUnavailable(async (): Promise<SealedUpload> => {
        state.seal();
        await body.sync();
        await body.close();
        await files.syncFolder(folder);
        return { key, id, bytes, sha256: hash.digest('hex') };
      }),
    abort: () =>
      orUnavailable(async () => {
        state.checkAbortable();
        if (state.isOpen) await body.close();
        state.abort();
        await files.remove(folder);
      }),
  };
}

/**
 * Publishes an upload's file, then forgets the upload. A process that dies between the two leaves an upload that is complete: to
 * complete it again changes nothing while its object is there.
 */
export async function completeUpload(
  place: Place,
  { key, id, bytes, sha256 }: SealedUpload,
  condition: PutCondition | undefined,
): Promise<CompleteResult> {
  const { files, folders } = place;
  const folder = join(folders.uploads, id);
  const source = join(folder, BODY_FILE);
  const found = ID.test(id) ? await ifThere(files.stat(source)) : undefined;
  if (found?.bytes !== bytes) return await settled(place, key, bytes, sha256);
  const object = await ifThere(files.stat(objectPath(place, key)));
  let result: CompleteResult = { stored: true, etag: sha256 };
  if (object?.identity !== found.identity) {
    try {
      const body = { place: (path: string) => files.link(source, path), etag: sha256 };
      result = await putObject(place, key, body, condition);
    } catch (error) {
      // Completed, or aborted, by somebody else in the meantime.
      if (codeOf(error) !== 'ENOENT') throw error;
      return await settled(place, key, bytes, sha256);
    }
  }
  if (result.stored) await files.remove(folder).catch(() => undefined);
  return result;
}

/** What became of an upload that is not there any more: its object tells, by its digest. */
async function settled(place: Place, key: string, bytes: number, sha256: string): Promise<CompleteResult> {
  const path = objectPath(place, key);
  if ((await ifThere(place.files.stat(path)))?.bytes === bytes) {
    const body = await ifThere(place.files.readFile(path));
    if (body !== undefined && sha256Of(body) === sha256) return { stored: true, etag: sha256 };
  }
  return { stored: false, vanished: true };
}

export async function abortUploads(
  { files, folders }: Place,
  uploads: readonly UploadEntry[],
): Promise<void> {
  for (const { id } of uploads) if (ID.test(id)) await files.remove(join(folders.uploads, id));
}

/** Memory holds the keys of all pending uploads. */
export async function* listUploads(
  { files, folders }: Place,
  prefix: string,
): AsyncGenerator<readonly UploadEntry[]> {
  const found: UploadEntry[] = [];
  for (const { name: id } of (await ifThere(files.entries(folders.uploads))) ?? []) {
    const key = await ifThere(files.readFile(join(folders.uploads, id, KEY_FILE)));
    if (key?.toString().startsWith(prefix) === true) found.push({ key: key.toString(), id });
  }
  found.sort((a, b) => compareKeys(a.key, b.key));
  for (let start = 0; start < found.length; start += MAX_PAGE_SIZE)
    yield found.slice(start, start + MAX_PAGE_SIZE);
}
