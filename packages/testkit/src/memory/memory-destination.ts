import {
  EosError,
  memorySink,
  memoryStore,
  type ChangelogMode,
  type MemoryStore,
  type SinkConnector,
} from '@eos/core';
import type { CommitFault, CommitFaults, Destination, Outage } from '../conformance/destination.js';
import { conformanceKey, type ConformanceRow } from '../conformance/schema.js';
import { letterOf } from './dead-letters.js';

export type ConformanceStore = MemoryStore<ConformanceRow>;

export interface MemoryDestinationOptions {
  readonly mode?: ChangelogMode;
  /** Makes another connector of the store than `memorySink` does: for broken sinks. */
  readonly connect?: (store: ConformanceStore) => SinkConnector<ConformanceRow>;
}

/** The harness of the in-memory reference sink. A harness of a real destination looks the same: see the README. */
export function memoryDestination({
  mode = 'append',
  connect = memorySink,
}: MemoryDestinationOptions): Destination {
  const store = memoryStore<ConformanceRow>({ mode, key: conformanceKey });
  const network = memoryNetwork(store);
  let restore = (): void => {
    throw new Error('nothing was saved');
  };
  return {
    connector: (route) => connect(route === 'direct' ? store : network.store),
    rows: async () => store.rows().filter((row) => letterOf(row) === undefined),
    deadLetters: async () => store.rows().flatMap((row) => letterOf(row) ?? []),
    faults: network.faults,
    outage: network.outage,
    history: {
      save: async () => void (restore = store.save()),
      restore: async () => restore(),
    },
    recreate: async () => store.recreate(),
    child: undefined,
    close: async () => undefined,
  };
}

/** What stands in for a network between sink and store: every step of the store is a request. */
function memoryNetwork(store: ConformanceStore): {
  store: ConformanceStore;
  faults: CommitFaults;
  outage: Outage;
} {
  let armed: CommitFault | undefined;
  let late: (() => Promise<void>) | undefined;
  let isDown = false;
  const reach = () => {
    if (isDown) throw new EosError('EOS_UNAVAILABLE', 'the memory store is stopped', { retryable: true });
  };
  const faulty: ConformanceStore = {
    ...store,
    positions: async (context) => {
      reach();
      return await store.positions(context);
    },
    claim: async (context, claim) => {
      reach();
      return await store.claim(context, claim);
    },
    commit: async (context, commit, batches) => {
      reach();
      const fault = armed;
      armed = undefined;
      if (fault === 'request-late') late = () => store.commit(context, commit, batches);
      else if (fault !== 'request-lost') await store.commit(context, commit, batches);
      if (fault !== undefined) throw new Error('the connection was reset');
    },
  };
  return {
    store: faulty,
    faults: {
      arm: (fault) => void (armed = fault),
      release: async () => {
        const request = late;
        late = undefined;
        // Its sender is gone: nobody hears whether it was rejected.
        await request?.().catch(() => undefined);
      },
    },
    outage: { stop: () => void (isDown = true), start: () => void (isDown = false) },
  };
}
