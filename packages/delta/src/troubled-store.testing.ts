/** A store whose network fails as it is told to: for stores that have none, the port is where requests and answers are lost. */
import { EosError } from '@eos/core';
import type { ObjectStore, PutResult } from '@eos/object-store';
import type { CommitFault, CommitFaults, Outage } from '@eos/testkit';

export interface TroubledStore {
  readonly store: ObjectStore;
  readonly faults: CommitFaults;
  readonly outage: Outage;
}

/** Whether a put is that of a data commit: a version of the log which is no claim. */
export function isDataCommit(key: string, body: Uint8Array): boolean {
  return /_delta_log\/\d{20}\.json$/.test(key) && !Buffer.from(body).includes('"operation":"EOS CLAIM"');
}

export function troubledStore(inner: ObjectStore): TroubledStore {
  let armed: CommitFault | undefined;
  let isDown = false;
  const late: (() => Promise<unknown>)[] = [];
  const check = () => {
    if (isDown) throw new EosError('EOS_UNAVAILABLE', 'connection refused', { retryable: true });
  };
  const strike = async (fault: CommitFault, send: () => Promise<PutResult>): Promise<never> => {
    if (fault === 'answer-lost') await send();
    if (fault === 'request-late') late.push(send);
    throw new EosError('EOS_UNKNOWN_OUTCOME', 'the answer was lost', { retryable: true, outcome: 'unknown' });
  };
  const store = withRequests(inner, async (request, send) => {
    check();
    if (armed === undefined || request.call !== 'put') return await send();
    if (!isDataCommit(request.key, request.body)) return await send();
    const fault = armed;
    armed = undefined;
    // What is sent is a put: so is its answer.
    return await strike(fault, send as () => Promise<never>);
  });
  return {
    store,
    faults: {
      arm: (fault) => void (armed = fault),
      release: async () => {
        for (const send of late.splice(0)) await send();
      },
    },
    outage: { stop: () => void (isDown = true), start: () => void (isDown = false) },
  };
}

/** A request on its way to the store. */
export type StoreRequest =
  | { readonly call: 'put'; readonly key: string; readonly body: Uint8Array }
  | {
      readonly call: Exclude<keyof ObjectStore, 'put' | 'description' | 'close'> | 'write' | 'seal' | 'abort';
      readonly key: string;
    };

export type OnRequest = <T>(request: StoreRequest, send: () => Promise<T>) => Promise<T>;

/** A store each of whose requests goes through `onRequest`, which may send it, once or later, or fail. */
export function withRequests(inner: ObjectStore, on: OnRequest): ObjectStore {
  return {
    description: inner.description,
    get: (key) => on({ call: 'get', key }, () => inner.get(key)),
    read: (key, range) => on({ call: 'read', key }, () => inner.read(key, range)),
    head: (key) => on({ call: 'head', key }, () => inner.head(key)),
    put: (key, body, options) => on({ call: 'put', key, body }, () => inner.put(key, body, options)),
    async *list(options) {
      const pages = inner.list(options)[Symbol.asyncIterator]();
      for (;;) {
        const page = await on({ call: 'list', key: options?.prefix ?? '' }, () => pages.next());
        if (page.done === true) return;
        yield page.value;
      }
    },
    delete: (keys) => on({ call: 'delete', key: keys[0] ?? '' }, () => inner.delete(keys)),
    createUpload: async (key) => {
      const upload = await on({ call: 'createUpload', key }, () => inner.createUpload(key));
      return {
        key: upload.key,
        id: upload.id,
        write: (bytes) => on({ call: 'write', key }, () => upload.write(bytes)),
        seal: () => on({ call: 'seal', key }, () => upload.seal()),
        abort: () => on({ call: 'abort', key }, () => upload.abort()),
      };
    },
    complete: (upload, options) =>
      on({ call: 'complete', key: upload.key }, () => inner.complete(upload, options)),
    abortUploads: (uploads) => on({ call: 'abortUploads', key: '' }, () => inner.abortUploads(uploads)),
    listUploads: (options) => inner.listUploads(options),
    close: () => inner.close(),
  };
}
