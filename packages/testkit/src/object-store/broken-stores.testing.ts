/** Stores that break a promise of the port, each with the group of the suite that must catch it. */
import { setImmediate } from 'node:timers/promises';
import {
  memoryBucket,
  memoryObjectStore,
  type ObjectEntry,
  type ObjectStore,
  type PutOptions,
  type PutResult,
} from '@eos/object-store';
import { brokenAnswers } from './broken-answers.testing.js';
import type { BrokenStore } from './broken-store.testing.js';

type Breaker = (store: ObjectStore) => Partial<ObjectStore>;

/** Calls of a memory store replaced by broken ones. What `breaker` keeps is shared by all stores of a test. */
function broken(name: string, caughtBy: string, breakerOf: () => Breaker): BrokenStore {
  const create = () => {
    const bucket = memoryBucket();
    const breaker = breakerOf();
    const open = () => {
      const store = memoryObjectStore(bucket);
      return { ...store, ...breaker(store) };
    };
    return { open, close: async () => undefined };
  };
  return { name, caughtBy, create };
}

/** Check, then act: with another turn of the event loop between. */
async function putInTwoSteps(
  store: ObjectStore,
  key: string,
  body: Uint8Array,
  { condition }: PutOptions = {},
): Promise<PutResult> {
  const found = await store.get(key);
  await setImmediate();
  if (condition !== undefined) {
    const isMet = 'ifAbsent' in condition ? found === undefined : found?.etag === condition.ifMatch;
    if (!isMet) return { stored: false };
  }
  return await store.put(key, body);
}

async function entries(
  store: ObjectStore,
  options: Parameters<ObjectStore['list']>[0],
): Promise<ObjectEntry[]> {
  const all: ObjectEntry[] = [];
  for await (const page of store.list(options)) all.push(...page);
  return all;
}

/** Pages of a listing that was taken whole. */
function* pagesOf(all: readonly ObjectEntry[], size = 1_000): Generator<ObjectEntry[]> {
  for (let start = 0; start < all.length; start += size) yield all.slice(start, start + size);
}

const brokenConditions: readonly BrokenStore[] = [
  broken('ignores If-None-Match', 'conditions', () => (store) => ({
    put: (key, body, options = {}) =>
      store.put(key, body, options.condition !== undefined && 'ifAbsent' in options.condition ? {} : options),
  })),
  broken('ignores If-Match', 'conditions', () => (store) => ({
    put: (key, body, options = {}) =>
      store.put(key, body, options.condition !== undefined && 'ifMatch' in options.condition ? {} : options),
  })),
  broken('compares in the client', 'conditions', () => (store) => ({
    put: (key, body, options) => putInTwoSteps(store, key, body, options),
  })),
  broken('calls a put of an equal body its own', 'conditions', () => (store) => ({
    async put(key, body, options) {
      const result = await store.put(key, body, options);
      const found = result.stored ? undefined : await store.get(key);
      if (found !== undefined && Buffer.from(found.body).equals(body))
        return { stored: true, etag: found.etag };
      return result;
    },
  })),
  broken('makes an object that ifMatch does not find', 'conditions', () => (store) => ({
    async put(key, body, options = {}) {
      const isMatch = options.condition !== undefined && 'ifMatch' in options.condition;
      return await store.put(key, body, isMatch && (await store.head(key)) === undefined ? {} : options);
    },
  })),
];

const brokenWrites: readonly BrokenStore[] = [
  broken('shows a part of a body while it is written', 'writing', () => (store) => ({
    async put(key, body, options = {}) {
      if (options.condition === undefined) {
        await store.put(key, body.subarray(0, body.length >> 1));
        await setImmediate();
        await setImmediate();
      }
      return await store.put(key, body, options);
    },
  })),
  broken('acknowledges a put before it can be read', 'writing', () => {
    return (store) => ({
      async put(key, body, options = {}) {
        const kept = Buffer.from(body);
        if (options.condition !== undefined) return await store.put(key, kept, options);
        setTimeout(() => void store.put(key, kept).catch(() => undefined), 20);
        return { stored: true, etag: 'later' };
      },
    });
  }),
  broken('reads from a cache of its own', 'writing', () => (store) => {
    const cache = new Map<string, Awaited<ReturnType<ObjectStore['get']>>>();
    return {
      async get(key) {
        if (!cache.has(key)) cache.set(key, await store.get(key));
        return cache.get(key);
      },
    };
  }),
  broken('deletes what begins with the key', 'writing', () => (store) => ({
    async delete(keys) {
      for (const prefix of keys) await store.delete((await entries(store, { prefix })).map(({ key }) => key));
    },
  })),
  broken('deletes no more than a thousand', 'writing', () => (store) => ({
    delete: (keys) => store.delete(keys.slice(0, 1_000)),
  })),
  broken('keeps the body that it was given', 'reading', () => (store) => {
    const given = new Map<string, Uint8Array>();
    return {
      async put(key, body, options) {
        given.set(key, body);
        return await store.put(key, body, options);
      },
      async get(key) {
        const found = await store.get(key);
        return found && { ...found, body: given.get(key) ?? found.body };
      },
    };
  }),
  broken('takes keys for paths', 'reading', () => (store) => ({
    head: (key) => store.head(key.replaceAll('%20', ' ')),
  })),
  broken('fails where a range ends behind the object', 'reading', () => (store) => ({
    async read(key, range) {
      const head = await store.head(key);
      if (head !== undefined && 'end' in range && range.end > head.bytes) throw new RangeError('416');
      return await store.read(key, range);
    },
  })),
];

const brokenListings: readonly BrokenStore[] = [
  broken('lists by the order of UTF-16', 'listing', () => (store) => ({
    async *list(options = {}) {
      const all = await entries(store, { ...options, pageSize: 1_000 });
      yield* pagesOf(
        all.sort((a, b) => (a.key < b.key ? -1 : 1)),
        options.pageSize,
      );
    },
  })),
  broken('lists folder by folder', 'listing', () => (store) => ({
    async *list(options = {}) {
      const all = await entries(store, { ...options, pageSize: 1_000 });
      const path = ({ key }: ObjectEntry) => key.replaceAll('/', '\0');
      yield* pagesOf(
        all.sort((a, b) => Buffer.compare(Buffer.from(path(a)), Buffer.from(path(b)))),
        options.pageSize,
      );
    },
  })),
  broken('takes a prefix for a folder', 'listing', () => (store) => ({
    async *list(options = {}) {
      const { prefix = '' } = options;
      const all = await entries(store, { ...options, pageSize: 1_000 });
      const folder = prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`;
      yield* pagesOf(
        all.filter(({ key }) => key.startsWith(folder)),
        options.pageSize,
      );
    },
  })),
  broken('lists startAfter itself', 'listing', () => (store) => ({
    async *list(options = {}) {
      const { startAfter, ...rest } = options;
      const all = await entries(store, { ...rest, pageSize: 1_000 });
      const isBelow = ({ key }: ObjectEntry) =>
        startAfter !== undefined && Buffer.compare(Buffer.from(key), Buffer.from(startAfter)) < 0;
      yield* pagesOf(
        all.filter((entry) => !isBelow(entry)),
        options.pageSize,
      );
    },
  })),
  broken('lists one page only', 'listing', () => (store) => ({
    async *list(options = {}) {
      for await (const page of store.list(options)) {
        yield page;
        return;
      }
    },
  })),
  broken('lists what was there a moment ago', 'writing', () => {
    let earlier: ObjectEntry[] = [];
    return (store) => ({
      async *list(options = {}) {
        const stale = earlier;
        earlier = await entries(store, {});
        yield* pagesOf(stale.filter(({ key }) => key.startsWith(options.prefix ?? '')));
      },
    });
  }),
  broken('counts pages by offset', 'listing', () => (store) => ({
    async *list(options = {}) {
      const { pageSize = 1_000, ...rest } = options;
      for (let offset = 0; ; offset += pageSize) {
        const page = (await entries(store, rest)).slice(offset, offset + pageSize);
        if (page.length === 0) return;
        yield page;
      }
    },
  })),
];

const brokenUploads: readonly BrokenStore[] = [
  broken('shows an upload before it is complete', 'uploads', () => (store) => ({
    async createUpload(key) {
      const upload = await store.createUpload(key);
      await store.put(key, new Uint8Array(0));
      return upload;
    },
  })),
  broken('completes without a condition', 'uploads', () => (store) => ({
    complete: (sealed) => store.complete(sealed),
  })),
  broken('completes twice', 'uploads', () => {
    const bodies = new Map<string, Uint8Array>();
    return (store) => ({
      async complete(sealed, options) {
        const earlier = bodies.get(sealed.id);
        if (earlier !== undefined) return await store.put(sealed.key, earlier);
        const result = await store.complete(sealed, options);
        const found = result.stored ? await store.get(sealed.key) : undefined;
        if (found !== undefined) bodies.set(sealed.id, found.body);
        return result;
      },
    });
  }),
  broken('calls a second completion refused', 'uploads', () => {
    const completed = new Set<string>();
    return (store) => ({
      async complete(sealed, options) {
        if (completed.has(sealed.id)) return { stored: false };
        const result = await store.complete(sealed, options);
        if (result.stored) completed.add(sealed.id);
        return result;
      },
    });
  }),
  broken('knows a lost upload again by its length', 'uploads', () => (store) => ({
    async complete(sealed, options) {
      const result = await store.complete(sealed, options);
      const head = await store.head(sealed.key);
      return !result.stored && head?.bytes === sealed.bytes ? { stored: true, etag: 'by length' } : result;
    },
  })),
  broken('keeps chunks that the writer uses again', 'uploads', () => (store) => ({
    async createUpload(key) {
      const upload = await store.createUpload(key);
      const chunks: Uint8Array[] = [];
      return {
        ...upload,
        write: async (bytes) => void chunks.push(bytes),
        async seal() {
          for (const chunk of chunks) await upload.write(chunk);
          return await upload.seal();
        },
      };
    },
  })),
  broken('ends every upload of a key with the first', 'uploads', () => (store) => ({
    async complete(sealed, options) {
      const result = await store.complete(sealed, options);
      if (!result.stored) return result;
      for await (const page of store.listUploads({ prefix: sealed.key }))
        await store.abortUploads(page.filter(({ key }) => key === sealed.key));
      return result;
    },
  })),
  broken('forgets to list uploads', 'uploads', () => (store) => ({
    async *listUploads() {
      await store.head('none');
      yield* [];
    },
  })),
];

export const brokenStores: readonly BrokenStore[] = [
  ...brokenConditions,
  ...brokenWrites,
  ...brokenListings,
  ...brokenUploads,
  ...brokenAnswers,
];
