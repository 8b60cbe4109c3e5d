/** A store that counts what it is asked for. */
import type { ObjectStore } from '@eos/object-store';

export interface CountingStore {
  readonly store: ObjectStore;
  /** Requests so far, by call. */
  readonly counts: ReadonlyMap<string, number>;
  readonly total: () => number;
}

const CALLS = ['get', 'read', 'head', 'put', 'delete', 'complete', 'abortUploads'] as const;

/** Uploads count with what they begin and end with. */
export function countingStore(inner: ObjectStore): CountingStore {
  const counts = new Map<string, number>();
  const counted = (call: string) => void counts.set(call, (counts.get(call) ?? 0) + 1);
  const calls = Object.fromEntries(
    CALLS.map((name) => [
      name,
      (...given: never[]) => {
        counted(name);
        return Reflect.apply(inner[name], inner, given);
      },
    ]),
  );
  // Each call has the type of the one that it stands for.
  const store = {
    ...inner,
    ...calls,
    list: (options: never) => {
      counted('list');
      return inner.list(options);
    },
    createUpload: (key: string) => {
      counted('createUpload');
      return inner.createUpload(key);
    },
  } as ObjectStore;
  return { store, counts, total: () => [...counts.values()].reduce((sum, count) => sum + count, 0) };
}
