/** Writes segment, checkpoint and hint when a window of the log is full: beside the commits, which do not wait for it. */
import { canonicalText } from '@eos/core';
import { checkpointKey, hintKey, segmentKey } from './keys.js';
import { readEntry, type TablePlace } from './read.js';
import { segmentText, WINDOW, windowOf } from './segment.js';
import { stateText } from './state-text.js';
import type { LogState } from './state.js';

/** Where the entries of a window are more than this, the segment is left out, and readers take them one by one. */
const MAX_SEGMENT_BYTES = 16 * 2 ** 20;

export interface WindowWriter {
  /** To be told of every entry, when it was applied; `isOwn`: who put the last entry of a window writes its checkpoint. */
  passed(state: LogState, text: string, isOwn: boolean): void;
  /** True where a look at the log found that an entry is gone which was read, or written, before. */
  readonly hasHole: boolean;
  /** Waits for what is under way. Never throws. */
  settled(): Promise<void>;
}

interface FullWindow {
  /** Its last entry. */
  readonly seq: bigint;
  readonly firstNonce: string | undefined;
  readonly segment: string | undefined;
  readonly checkpoint: string;
}

/** Memory: the texts of one window, at most 16 MiB, and of one more while it is written. */
export function windowWriter(place: TablePlace): WindowWriter {
  let texts: string[] = [];
  let bytes = 0;
  let firstNonce: string | undefined;
  let hasHole = false;
  let work: Promise<void> = Promise.resolve();

  async function write({ seq, firstNonce, segment, checkpoint }: FullWindow): Promise<void> {
    const { store, prefix } = place;
    const { first } = windowOf(seq);
    // A state that the log does not hold any more must not become a checkpoint.
    if ((await readEntry(place, first))?.entry.nonce !== firstNonce) {
      hasHole = true;
      return;
    }
    const put = (key: string, text: string) => store.put(key, Buffer.from(text));
    await Promise.all([
      segment === undefined ? undefined : put(segmentKey(prefix, first), segment),
      put(checkpointKey(prefix, seq), checkpoint),
    ]);
    await put(hintKey(prefix), canonicalText({ checkpoint: seq }));
  }

  return {
    get hasHole() {
      return hasHole;
    },
    passed(state, text, isOwn) {
      const { first, last } = windowOf(state.seq);
      if (state.seq === first) [texts, bytes, firstNonce] = [[], 0, state.nonce];
      bytes += text.length;
      if (bytes <= MAX_SEGMENT_BYTES) texts.push(text);
      if (state.seq < last || !isOwn) return;
      const segment = BigInt(texts.length) === WINDOW ? segmentText(texts) : undefined;
      const full = { seq: state.seq, firstNonce, segment, checkpoint: stateText(state) };
      // What fails is left to the next window: only time depends on it.
      work = work.then(() => write(full)).catch(() => undefined);
    },
    settled: () => work,
  };
}
