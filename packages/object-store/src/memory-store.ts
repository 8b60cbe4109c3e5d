import { randomUUID } from 'node:crypto';
import {
  checkComplete,
  checkList,
  checkPut,
  checkRange,
  closedError,
  MAX_PAGE_SIZE,
  resolveRange,
} from './checks.js';
import { sha256Of } from './digest.js';
import { checkKey, compareKeys } from './keys.js';
import { openUpload } from './upload-state.js';
import type {
  CompleteResult,
  ListOptions,
  ObjectEntry,
  ObjectStore,
  PutCondition,
  PutResult,
  SealedUpload,
  Upload,
  UploadEntry,
} from './object-store.js';

interface MemoryObject {
  readonly body: Uint8Array;
  readonly etag: string;
  readonly lastModified: Date;
}

interface MemoryUpload extends UploadEntry {
  /** Undefined until it is sealed. */
  body: Uint8Array | undefined;
  readonly chunks: Uint8Array[];
}

/** What several stores of one process share, as several clients share a bucket. Gone with the process. */
export interface MemoryBucket {
  readonly objects: Map<string, MemoryObject>;
  readonly uploads: Map<string, MemoryUpload>;
}

export function memoryBucket(): MemoryBucket {
  return { objects: new Map(), uploads: new Map() };
}

/**
 * An object store in memory, for tests and to be read: every call takes effect in one turn of the event loop. Memory holds all
 * objects.
 */
export function memoryObjectStore(bucket: MemoryBucket = memoryBucket()): ObjectStore {
  const { objects, uploads } = bucket;
  const description = 'object store in memory';
  let isClosed = false;
  const check = () => {
    if (isClosed) throw closedError(description);
  };

  const isMet = (key: string, condition: PutCondition | undefined): boolean => {
    if (condition === undefined) return true;
    const found = objects.get(key);
    return 'ifAbsent' in condition ? found === undefined : found?.etag === condition.ifMatch;
  };
  const store = (key: string, body: Uint8Array, condition: PutCondition | undefined): PutResult => {
    if (!isMet(key, condition)) return { stored: false };
    const etag = sha256Of(body);
    objects.set(key, { body, etag, lastModified: new Date() });
    return { stored: true, etag };
  };

  return {
    description,
    async get(key) {
      check();
      checkKey(key);
      const found = objects.get(key);
      return found && { body: copyOf(found.body), etag: found.etag };
    },
    async read(key, range) {
      check();
      checkKey(key);
      checkRange(range);
      const found = objects.get(key);
      if (found === undefined) return undefined;
      const { start, end } = resolveRange(range, found.body.length);
      return copyOf(found.body.subarray(start, end));
    },
    async head(key) {
      check();
      checkKey(key);
      const found = objects.get(key);
      return found && entryOf(key, found);
    },
    async put(key, body, options = {}) {
      check();
      checkPut(key, options);
      return store(key, copyOf(body), options.condition);
    },
    async *list(options: ListOptions = {}) {
      const { prefix, startAfter, pageSize } = checkList(options);
      let after = startAfter;
      for (;;) {
        check();
        const page = pageOf(objects, prefix, after, pageSize);
        if (page.length > 0) yield page;
        if (page.length < pageSize) return;
        after = page.at(-1)?.key;
      }
    },
    async delete(keys) {
      check();
      for (const key of keys) checkKey(key);
      for (const key of keys) objects.delete(key);
    },
    async createUpload(key) {
      check();
      checkKey(key);
      const upload: MemoryUpload = { key, id: randomUUID(), body: undefined, chunks: [] };
      uploads.set(upload.id, upload);
      return writerOf(upload, uploads, check);
    },
    async complete(sealed, options = {}): Promise<CompleteResult> {
      check();
      checkComplete(sealed.key, options);
      const body = uploads.get(sealed.id)?.body;
      // Completed before, or gone: its object tells.
      if (body === undefined) {
        const found = objects.get(sealed.key);
        if (found?.etag === sealed.sha256) return { stored: true, etag: found.etag };
        return { stored: false, vanished: true };
      }
      const result = store(sealed.key, body, options.condition);
      if (result.stored) uploads.delete(sealed.id);
      return result;
    },
    async abortUploads(entries) {
      check();
      for (const { id } of entries) uploads.delete(id);
    },
    async *listUploads({ prefix = '' } = {}) {
      check();
      const found = [...uploads.values()].filter(({ key }) => key.startsWith(prefix));
      found.sort((a, b) => compareKeys(a.key, b.key));
      for (let start = 0; start < found.length; start += MAX_PAGE_SIZE)
        yield found.slice(start, start + MAX_PAGE_SIZE).map(({ key, id }) => ({ key, id }));
    },
    async close() {
      isClosed = true;
    },
  };
}

/** A Buffer's own slice would share its memory. */
function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

function entryOf(key: string, { body, lastModified }: MemoryObject): ObjectEntry {
  return { key, bytes: body.length, lastModified };
}

function pageOf(
  objects: ReadonlyMap<string, MemoryObject>,
  prefix: string,
  after: string | undefined,
  size: number,
): ObjectEntry[] {
  const keys = [...objects.keys()].filter(
    (key) => key.startsWith(prefix) && (after === undefined || compareKeys(key, after) > 0),
  );
  const page: ObjectEntry[] = [];
  for (const key of keys.sort(compareKeys).slice(0, size)) {
    const found = objects.get(key);
    if (found !== undefined) page.push(entryOf(key, found));
  }
  return page;
}

function writerOf(upload: MemoryUpload, uploads: Map<string, MemoryUpload>, check: () => void): Upload {
  const { key, id, chunks } = upload;
  const state = openUpload(key, check);
  return {
    key,
    id,
    async write(bytes) {
      state.checkOpen();
      chunks.push(copyOf(bytes));
    },
    async seal(): Promise<SealedUpload> {
      state.seal();
      const body = new Uint8Array(Buffer.concat(chunks.splice(0)));
      upload.body = body;
      return { key, id, bytes: body.length, sha256: sha256Of(body) };
    },
    async abort() {
      state.abort();
      uploads.delete(id);
    },
  };
}
