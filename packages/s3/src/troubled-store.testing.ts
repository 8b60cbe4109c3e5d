/** A store whose network fails as it is told to: for stores that have none, the port is where answers are lost. */
import { EosError } from '@eos/core';
import type { ObjectStore, PutResult } from '@eos/object-store';
import type { CommitFault, CommitFaults, Outage } from '@eos/testkit';

export interface TroubledStore {
  readonly store: ObjectStore;
  readonly faults: CommitFaults;
  readonly outage: Outage;
}

export const isCommitBody = (body: Uint8Array): boolean => Buffer.from(body).includes('"kind":"commit"');

export function troubledStore(inner: ObjectStore): TroubledStore {
  let armed: CommitFault | undefined;
  let isDown = false;
  const late: (() => Promise<unknown>)[] = [];
  const check = () => {
    if (isDown) throw new EosError('EOS_UNAVAILABLE', 'connection refused', { retryable: true });
  };
  const checked = async <T>(call: () => Promise<T>): Promise<T> => {
    check();
    return await call();
  };
  const lost = (): EosError =>
    new EosError('EOS_UNKNOWN_OUTCOME', 'the answer was lost', { retryable: true, outcome: 'unknown' });

  async function strike(fault: CommitFault, send: () => Promise<PutResult>): Promise<never> {
    if (fault === 'answer-lost') await send();
    if (fault === 'request-late') late.push(send);
    throw lost();
  }

  const store: ObjectStore = {
    description: inner.description,
    get: async (key) => await checked(() => inner.get(key)),
    read: async (key, range) => await checked(() => inner.read(key, range)),
    head: async (key) => await checked(() => inner.head(key)),
    async put(key, body, options) {
      check();
      const send = () => inner.put(key, body, options);
      if (armed === undefined || !isCommitBody(body)) return await send();
      const fault = armed;
      armed = undefined;
      return await strike(fault, send);
    },
    async *list(options) {
      check();
      for await (const page of inner.list(options)) {
        yield page;
        check();
      }
    },
    delete: async (keys) => await checked(() => inner.delete(keys)),
    async createUpload(key) {
      check();
      const upload = await inner.createUpload(key);
      return {
        key: upload.key,
        id: upload.id,
        write: async (bytes) => await checked(() => upload.write(bytes)),
        seal: async () => await checked(() => upload.seal()),
        abort: async () => await checked(() => upload.abort()),
      };
    },
    complete: async (upload, options) => await checked(() => inner.complete(upload, options)),
    abortUploads: async (uploads) => await checked(() => inner.abortUploads(uploads)),
    async *listUploads(options) {
      check();
      yield* inner.listUploads(options);
    },
    close: () => inner.close(),
  };
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
