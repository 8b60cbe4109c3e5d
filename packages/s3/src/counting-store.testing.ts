/** A store that counts what it is asked for. */
import type { ObjectStore } from '@eos/object-store';

export interface CountingStore {
  readonly store: ObjectStore;
  /** Requests so far, by call. */
  readonly counts: ReadonlyMap<string, number>;
  readonly total: () => number;
}

/** Uploads count with what they begin and end with. */
export function countingStore(inner: ObjectStore): CountingStore {
  const counts = new Map<string, number>();
  const counted = <T>(call: string, made: T): T => {
    counts.set(call, (counts.get(call) ?? 0) + 1);
    return made;
  };
  const store: ObjectStore = {
    ...inner,
    get: (key) => counted('get', inner.get(key)),
    read: (key, range) => counted('read', inner.read(key, range)),
    head: (key) => counted('head', inner.head(key)),
    put: (key, body, options) => counted('put', inner.put(key, body, options)),
    list: (options) => counted('list', inner.list(options)),
    delete: (keys) => counted('delete', inner.delete(keys)),
    createUpload: (key) => counted('createUpload', inner.createUpload(key)),
    complete: (upload, options) => counted('complete', inner.complete(upload, options)),
    abortUploads: (uploads) => counted('abortUploads', inner.abortUploads(uploads)),
  };
  return { store, counts, total: () => [...counts.values()].reduce((sum, count) => sum + count, 0) };
}
