/**
 * Checkpoints: the state of the log behind the last entry of a window, beside the log. They keep it short what has to be read to know the
 * end, and nothing depends on them: they are functions of the log, which anybody may write again, and who uses one looks whether
 * the entry that it stands behind is still the same.
 */
import { bigInteger, malformed, parseFields } from './fields.js';
import { checkpointKey, hintKey, seqOfCheckpointKey, checkpointPrefix } from './keys.js';
import { readEntry, type TablePlace } from './read.js';
import { windowOf } from './segment.js';
import { parseState } from './state-text.js';
import { emptyState, type LogState } from './state.js';

/** The state behind the newest checkpoint, or the empty one. Two round trips, whatever the length of the log. */
export async function loadCheckpoint(place: TablePlace): Promise<LogState> {
  const hinted = await readHint(place);
  const state = hinted === undefined ? undefined : await readCheckpoint(place, hinted);
  return state ?? (await newestListed(place)) ?? emptyState();
}

/** The state behind the newest checkpoint at or below `seq`. */
export async function loadCheckpointBelow(place: TablePlace, seq: bigint): Promise<LogState> {
  const { first, last } = windowOf(seq);
  for (let at = seq === last ? last : first - 1n; at >= 0n; at = windowOf(at).first - 1n) {
    const state = await readCheckpoint(place, at);
    if (state !== undefined) return state;
  }
  return emptyState();
}

async function readHint({ store, prefix }: TablePlace): Promise<bigint | undefined> {
  const found = await store.get(hintKey(prefix));
  if (found === undefined) return undefined;
  const fields = parseFields(Buffer.from(found.body).toString(), hintKey(prefix));
  return bigInteger(fields, 'checkpoint');
}

/** Undefined where there is none, or where it belongs to a log that was taken back since. */
async function readCheckpoint(place: TablePlace, seq: bigint): Promise<LogState | undefined> {
  const key = checkpointKey(place.prefix, seq);
  const [found, entry] = await Promise.all([place.store.get(key), readEntry(place, seq)]);
  if (found === undefined || entry === undefined) return undefined;
  const state = parseState(Buffer.from(found.body).toString(), key);
  if (state.seq !== seq) throw malformed(key, `is the state behind entry ${state.seq}`);
  return state.nonce === entry.entry.nonce ? state : undefined;
}

/** Where the hint is gone or wrong: the checkpoints are looked through, from the newest down. */
async function newestListed(place: TablePlace): Promise<LogState | undefined> {
  const { store, prefix } = place;
  const seqs: bigint[] = [];
  for await (const page of store.list({ prefix: checkpointPrefix(prefix) })) {
    for (const { key } of page) {
      const seq = seqOfCheckpointKey(prefix, key);
      if (seq !== undefined) seqs.push(seq);
    }
  }
  for (const seq of seqs.reverse()) {
    const state = await readCheckpoint(place, seq);
    if (state !== undefined) return state;
  }
  return undefined;
}
