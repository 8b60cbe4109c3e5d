import { resolve } from 'node:path';
import { EosError } from '@eos/core';
import { checkComplete, checkList, checkPut, checkRange, closedError, resolveRange } from '../checks.js';
import { sha256Of } from '../digest.js';
import { checkKey } from '../keys.js';
import type { ListOptions, ObjectStore } from '../object-store.js';
import { PATIENCE_MS } from './claims.js';
import { ifThere, orUnavailable } from './file-errors.js';
import { systemFiles, type Files } from './files.js';
import { foldersOf } from './folders.js';
import { listFiles } from './listing.js';
import { objectPath, type Place } from './place.js';
import { abortUploads, completeUpload, createUpload, listUploads } from './uploads.js';
import { bodyOfBytes, deleteObjects, putObject } from './writes.js';

export interface LocalObjectStoreOptions {
  /** The folder; made where it is missing. All processes that use it must be on file systems that agree on `link` and `rename`. */
  readonly root: string;
}

/**
 * An object store of files below a folder, shared by any number of processes. A body is durable, fsync of file and folder, before its
 * put returns; a process that dies at any moment leaves nothing that others see, or are blocked by for more than two seconds. Names that
 * end in an extension, and folders like `date=2026-01-31`, keep their names for other programs.
 *
 * Keys that differ only in case are one on a file system that ignores case.
 * @throws EOS_CONFIG where `root` is no path
 */
export function localObjectStore({ root }: LocalObjectStoreOptions): ObjectStore {
  return localStoreOn(systemFiles, root);
}

/** The same on given files, for tests. */
export function localStoreOn(files: Files, root: string, patienceMs = PATIENCE_MS): ObjectStore {
  if (typeof root !== 'string' || root === '')
    throw new EosError('EOS_CONFIG', 'root must be the path of a folder', { details: { option: 'root' } });
  const place: Place = { files, folders: foldersOf(files, resolve(root)), patienceMs };
  const description = `object store of files in ${root}`;
  let isClosed = false;
  const check = () => {
    if (isClosed) throw closedError(description);
  };
  const checked = <T>(key: string, call: () => Promise<T>): Promise<T> =>
    orUnavailable(() => {
      check();
      checkKey(key);
      return call();
    });

  return {
    description,
    get: (key) =>
      checked(key, async () => {
        const body = await ifThere(files.readFile(objectPath(place, key)));
        return body && { body, etag: sha256Of(body) };
      }),
    read: (key, range) =>
      checked(key, async () => {
        checkRange(range);
        return await ifThere(files.readAt(objectPath(place, key), (bytes) => resolveRange(range, bytes)));
      }),
    head: (key) =>
      checked(key, async () => {
        const found = await ifThere(files.stat(objectPath(place, key)));
        return found?.isFile === true
          ? { key, bytes: found.bytes, lastModified: found.lastModified }
          : undefined;
      }),
    put: (key, body, options = {}) =>
      checked(key, async () => {
        checkPut(key, options);
        return await putObject(place, key, bodyOfBytes(files, Buffer.from(body)), options.condition);
      }),
    async *list(options: ListOptions = {}) {
      check();
      yield* paged(listFiles(files, place.folders.root, checkList(options)), check);
    },
    delete: (keys) =>
      orUnavailable(async () => {
        check();
        for (const key of keys) checkKey(key);
        await deleteObjects(place, keys);
      }),
    createUpload: (key) => checked(key, () => createUpload(place, key, check)),
    complete: (upload, options = {}) =>
      checked(upload.key, async () => {
        checkComplete(upload.key, options);
        return await completeUpload(place, upload, options.condition);
      }),
    abortUploads: (uploads) =>
      orUnavailable(async () => {
        check();
        await abortUploads(place, uploads);
      }),
    async *listUploads({ prefix = '' } = {}) {
      check();
      yield* paged(listUploads(place, prefix), check);
    },
    async close() {
      isClosed = true;
    },
  };
}

/** Pages whose errors are those of the port. */
async function* paged<Page>(pages: AsyncGenerator<Page>, check: () => void): AsyncGenerator<Page> {
  for (;;) {
    const next = await orUnavailable(() => pages.next());
    if (next.done === true) return;
    yield next.value;
    check();
  }
}
