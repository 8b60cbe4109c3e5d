/** The log as a writer has it: its state in memory, moved on by reading the tail alone. */
import { EosError } from '@eos/core';
import { loadCheckpoint } from './checkpoints.js';
import { entryText } from './entry-text.js';
import type { LogEntry } from './entry.js';
import { logKey } from './keys.js';
import { findEnd, readEntry, readLog, type ReadEntry, type TablePlace } from './read.js';
import { applyEntry, emptyState, type LogState } from './state.js';
import { windowWriter } from './window-writer.js';

export interface OpenLog {
  /** As of what was read last; changed by every call below. */
  readonly state: LogState;
  /** Reads on to the end of the log, from the newest checkpoint at the first time. */
  refresh(): Promise<void>;
  /**
   * Puts an entry behind the end of the log: the one atomic step. `propose` makes it of the state behind the end, or throws where the state
   * does not allow it, or returns undefined where nothing shall be put; it is called again whenever another entry came first.
   * @throws what `propose` throws; EOS_UNKNOWN_OUTCOME where the put may have landed, or may land later
   */
  append(propose: (state: LogState) => LogEntry | undefined): Promise<ReadEntry | undefined>;
  /**
   * Looks whether the log still has what was read of it, unless it was heard of within the last second; where it went back, reads it
   * anew. Never more than one request where all is well.
   */
  verify(): Promise<void>;
  /** Waits for checkpoints under way. Never throws. */
  close(): Promise<void>;
}

/** How long a writer goes on without a look at what it wrote last. Only how soon a restored backup is noticed depends on it. */
const TRUST_MS = 1_000;

/** Reads nothing yet. Calls may overlap: they are taken one after the other. */
export function openLog(place: TablePlace): OpenLog {
  const { store, prefix } = place;
  let state = emptyState();
  let isLoaded = false;
  let heardAt = -Infinity;
  let windows = windowWriter(place);
  let turn: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = turn.then(work);
    turn = result.catch(() => undefined);
    return result;
  };

  const take = ({ entry, text }: ReadEntry, isOwn: boolean): boolean => {
    const hasEffect = applyEntry(state, entry);
    windows.passed(state, text, isOwn);
    heardAt = performance.now();
    return hasEffect;
  };

  async function load(): Promise<void> {
    isLoaded = false;
    await windows.settled();
    windows = windowWriter(place);
    state = await loadCheckpoint(place);
    await readTail();
    isLoaded = true;
  }

  async function readTail(): Promise<void> {
    const end = await findEnd(place, state.seq);
    for await (const found of readLog(place, { from: state.seq + 1n, to: end })) take(found, false);
    heardAt = performance.now();
  }

  /** An entry that is void for who follows the log says that what was followed is another log. */
  async function follow(found: ReadEntry): Promise<void> {
    if (!take(found, false)) {
      await load();
      return;
    }
    const next = await readEntry(place, state.seq + 1n);
    if (next === undefined) return;
    if (!take(next, false)) {
      await load();
      return;
    }
    await readTail();
  }

  async function catchUp(): Promise<void> {
    if (!isLoaded || windows.hasHole) {
      await load();
      return;
    }
    const next = await readEntry(place, state.seq + 1n);
    heardAt = performance.now();
    if (next !== undefined) await follow(next);
  }

  /** Where the state is not known to be behind, one put: who puts into the next slot has read all before it. */
  async function append(propose: (state: LogState) => LogEntry | undefined): Promise<ReadEntry | undefined> {
    if (!isLoaded || windows.hasHole) await load();
    for (;;) {
      const entry = propose(state);
      if (entry === undefined) return undefined;
      const seq = state.seq + 1n;
      const own = { seq, entry, text: entryText(entry) };
      const put = await store.put(logKey(prefix, seq), Buffer.from(own.text), {
        condition: { ifAbsent: true },
      });
      const found = put.stored ? own : await readEntry(place, seq);
      if (found === undefined) throw vanished(seq);
      if (found.entry.nonce !== entry.nonce) await follow(found);
      else if (take(own, true)) return own;
      else throw new EosError('EOS_CONFORMANCE', `entry ${seq} of the log was proposed and is void`);
    }
  }

  async function verify(): Promise<void> {
    if (!isLoaded || windows.hasHole) {
      await load();
      return;
    }
    if (state.seq < 0n || performance.now() - heardAt < TRUST_MS) return;
    const found = await readEntry(place, state.seq);
    if (found?.entry.nonce === state.nonce) heardAt = performance.now();
    else await load();
  }

  return {
    get state() {
      return state;
    },
    refresh: () => inTurn(catchUp),
    append: (propose) => inTurn(() => append(propose)),
    verify: () => inTurn(verify),
    close: async () => {
      await turn;
      await windows.settled();
    },
  };
}

/** The store said that the slot was taken, and has nothing in it. */
function vanished(seq: bigint): EosError {
  const message = `entry ${seq} of the log was refused as taken, and is not there`;
  return new EosError('EOS_UNAVAILABLE', message, { retryable: true });
}
