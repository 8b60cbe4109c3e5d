import { EosError } from '@eos/core';
import { memoryBucket, memoryObjectStore, type ObjectStore, type PutResult } from '@eos/object-store';
import type { CommitFault } from '../conformance/destination.js';
import type { BrokenStore } from './broken-store.testing.js';

/** A client that loses an answer, over a store that does not. It asks again once, as official clients do. */
function overNetwork(
  name: string,
  settle: (store: ObjectStore, attempt: () => Promise<PutResult>, fault: CommitFault) => Promise<PutResult>,
): BrokenStore {
  const create = () => {
    const bucket = memoryBucket();
    let armed: CommitFault | undefined;
    const late: (() => Promise<unknown>)[] = [];
    const troubled = async (store: ObjectStore, attempt: () => Promise<PutResult>): Promise<PutResult> => {
      const fault = armed;
      armed = undefined;
      if (fault === undefined) return await attempt();
      if (fault === 'answer-lost') await attempt();
      if (fault === 'request-late') late.push(attempt);
      return await settle(store, attempt, fault);
    };
    const open = (route?: string): ObjectStore => {
      const store = memoryObjectStore(bucket);
      if (route !== 'faulty') return store;
      return {
        ...store,
        put: (key, body, options) => troubled(store, () => store.put(key, body, options)),
        complete: (sealed, options) => troubled(store, () => store.complete(sealed, options)),
      };
    };
    const faults = {
      arm: (fault: CommitFault) => void (armed = fault),
      release: async () => {
        await Promise.all(late.splice(0).map((attempt) => attempt()));
      },
    };
    return { open, faults, close: async () => undefined };
  };
  return { name, caughtBy: 'lost answers', create };
}

export const brokenAnswers: readonly BrokenStore[] = [
  overNetwork('takes its own write for somebody else’s', (_store, attempt) => attempt()),
  overNetwork('takes a lost answer for a success', async () => ({ stored: true, etag: 'hoped for' })),
  overNetwork('takes a lost answer for a refusal', async () => ({ stored: false })),
  overNetwork('says that it may be tried again, where nothing is known', async () => {
    throw new EosError('EOS_UNAVAILABLE', 'no answer', { retryable: true });
  }),
];
