/** Reading the log: entries in their order, many at a time. */
import type { ObjectStore } from '@eos/object-store';
import { parseEntry } from './entry-text.js';
import type { LogEntry } from './entry.js';
import { malformed } from './fields.js';
import { logKey, segmentKey } from './keys.js';
import { inOrder } from '../in-order.js';
import { parseSegment, windowOf } from './segment.js';

/** Where a table is. */
export interface TablePlace {
  readonly store: ObjectStore;
  /** Empty, or ends in `/`. */
  readonly prefix: string;
}

export interface ReadEntry {
  readonly seq: bigint;
  readonly entry: LogEntry;
  /** As stored. */
  readonly text: string;
}

/** How many requests are under way at a time; of segments, how many are held in memory. */
const AT_ONCE = 16;

/** One entry; undefined where its slot is free. */
export async function readEntry({ store, prefix }: TablePlace, seq: bigint): Promise<ReadEntry | undefined> {
  const key = logKey(prefix, seq);
  const found = await store.get(key);
  if (found === undefined) return undefined;
  const text = Buffer.from(found.body).toString();
  return { seq, entry: parseEntry(text, key), text };
}

/**
 * The entries from `from` to `to`, both included, in order. Full windows are read as one object where there is one. Memory: the entries of
 * 16 windows.
 * @throws EOS_FORMAT where one of them is missing, or is none
 */
export async function* readLog(
  place: TablePlace,
  { from, to }: { readonly from: bigint; readonly to: bigint },
): AsyncGenerator<ReadEntry> {
  for await (const entries of inOrder(spansOf(from, to), AT_ONCE, (span) => readSpan(place, span)))
    yield* entries;
}

interface Span {
  readonly first: bigint;
  readonly last: bigint;
}

/** Whole windows, and single entries where a window is not whole. */
function* spansOf(from: bigint, to: bigint): Generator<Span> {
  for (let seq = from; seq <= to;) {
    const { first, last } = windowOf(seq);
    const span = seq === first && last <= to ? { first, last } : { first: seq, last: seq };
    yield span;
    seq = span.last + 1n;
  }
}

async function readSpan(place: TablePlace, { first, last }: Span): Promise<readonly ReadEntry[]> {
  if (last > first) {
    const [segment, end] = await Promise.all([
      place.store.get(segmentKey(place.prefix, first)),
      readEntry(place, last),
    ]);
    const entries = segment && parseSegment(segment.body, segmentKey(place.prefix, first), first);
    // One that is left of a log that went back ends otherwise.
    if (entries !== undefined && entries.at(-1)?.entry.nonce === end?.entry.nonce) return entries;
  }
  const entries: ReadEntry[] = [];
  const seqs = Array.from({ length: Number(last - first) + 1 }, (_, index) => first + BigInt(index));
  for await (const entry of inOrder(seqs, AT_ONCE, (seq) => readPresent(place, seq))) entries.push(entry);
  return entries;
}

async function readPresent(place: TablePlace, seq: bigint): Promise<ReadEntry> {
  const found = await readEntry(place, seq);
  if (found !== undefined) return found;
  throw malformed(logKey(place.prefix, seq), 'is missing: entries of the log must never be deleted');
}

/**
 * The entries behind `after`, up to the first free slot, in order. Asks for some at once, the first time for `atOnce`, and then for more and more:
 * few requests where there is little, and few round trips where there is much. No listing: on a disk it takes as long as the log is.
 */
export async function* readTail(place: TablePlace, after: bigint, atOnce = 1): AsyncGenerator<ReadEntry> {
  let next = after + 1n;
  for (let count = atOnce, found = 0; ; count = Math.min(Math.max(1, found >> 1), AT_ONCE)) {
    const seqs = Array.from({ length: count }, (_, index) => next + BigInt(index));
    for (const entry of await Promise.all(seqs.map((seq) => readEntry(place, seq)))) {
      if (entry === undefined) return;
      yield entry;
    }
    next += BigInt(count);
    found += count;
  }
}

/** Of the first look behind a checkpoint, where a window may follow. */
export const LOOK_AHEAD = AT_ONCE;
