/** The log as a writer has it: its state in memory, moved on by reading the tail alone. */
import { EosError } from '@eos/core';
import { loadCheckpoint } from './checkpoints.js';
import { entryText } from './entry-text.js';
import type { LogEntry } from './entry.js';
import { logKey } from './keys.js';
import { LOOK_AHEAD, readEntry, readTail, type ReadEntry, type TablePlace } from './read.js';
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
   * Looks whether the log still has what was known of it, four times a second at most; where it went back, reads it anew. One request where
   * all is well.
   */
  verify(): Promise<void>;
  /** Waits for checkpoints under way. Never throws. */
  close(): Promise<void>;
}

/** How often a writer looks at what it knows of the log. Only how soon a restored backup is noticed depends on it. */
const TRUST_MS = 250;

/** Reads nothing yet. Calls may overlap: they are taken one after the other. */
export function openLog(place: TablePlace): OpenLog {
  const { store, prefix } = place;
  let state = emptyState();
  let isLoaded = false;
  let seen = heard(state);
  let appendedAt = -Infinity;
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
    return hasEffect;
  };

  async function load(): Promise<void> {
    isLoaded = false;
    await windows.settled();
    windows = windowWriter(place);
    state = await loadCheckpoint(place);
    for await (const found of readTail(place, state.seq, LOOK_AHEAD)) take(found, false);
    seen = heard(state);
    isLoaded = true;
  }

  /** An entry that is void for who follows the log says that what was followed is another log. */
  async function follow(next?: ReadEntry): Promise<void> {
    let isKnown = next === undefined || take(next, false);
    if (isKnown)
      for await (const found of readTail(place, state.seq)) {
        isKnown = take(found, false);
        if (!isKnown) break;
      }
    if (!isKnown) await load();
  }

  async function catchUp(): Promise<void> {
    const wasLoaded = isLoaded;
    await verify();
    if (wasLoaded) await follow();
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
      const found = put.stored ? own : await taken(seq);
      // Its answer may have been lost at an earlier try.
      if (found.entry.nonce === entry.nonce) {
        if (!take(own, true))
          throw new EosError('EOS_CONFORMANCE', `entry ${seq} of the log was proposed and is void`);
        appendedAt = performance.now();
        return own;
      }
      await follow(found);
    }
  }

  /** The entry in a slot that was refused as taken. */
  async function taken(seq: bigint): Promise<ReadEntry> {
    const found = await readEntry(place, seq);
    if (found !== undefined) return found;
    const message = `entry ${seq} of the log was refused as taken, and is not there`;
    throw new EosError('EOS_UNAVAILABLE', message, { retryable: true });
  }

  async function verify(): Promise<void> {
    if (!isLoaded || windows.hasHole) {
      await load();
      return;
    }
    const now = performance.now();
    if (state.seq < 0n || now - seen.at < TRUST_MS) return;
    // Who appends all the time has put its newest entries into whatever was left of the log: an older one tells.
    const { seq, nonce } = now - appendedAt < TRUST_MS ? seen : state;
    const found = await readEntry(place, seq);
    if (found?.entry.nonce === nonce) seen = heard(state);
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

/** The end of the log when it was looked at last, rather than written to. */
interface Heard {
  readonly seq: bigint;
  readonly nonce: string;
  readonly at: number;
}

function heard({ seq, nonce }: LogState): Heard {
  return { seq, nonce, at: performance.now() };
}
