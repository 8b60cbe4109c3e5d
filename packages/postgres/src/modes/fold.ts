/** The changes of a transaction by key: the last of each counts. */
import { isEosError, type ChangeBatch } from '@eos/core';
import type { Reject } from '../bad-rows/bad-rows.js';
import { fieldsOf } from '../copy/copy-text.js';
import type { KeyOf, KeyValue } from '../table/keys.js';
import type { RowRange } from '../copy/row-sender.js';
import { placedIn } from '../copy/sent-rows.js';

/** Keys of a transaction that are remembered; beyond it any may be a repeat. Bounds memory to some 10 MB. */
const REMEMBERED_KEYS = 100_000;

/** The last change of each key of a batch. */
export interface LastChanges {
  /** How many keys. */
  readonly size: number;
  /** Their places in the batch, in the order in which the keys came first; undefined where these are all rows of the batch. */
  readonly places: Uint32Array | undefined;
  readonly keys: () => Iterable<KeyValue>;
  /** The lowest and the highest key, where each is a number above the one before. */
  readonly range: KeyRange | undefined;
}

export interface KeyRange {
  readonly lowest: number;
  readonly highest: number;
}

/**
 * Of the rows at `places`, or all of the batch.
 * @param reject told of each row whose key is bad, which is then left out
 * @throws EOS_ROW with the place of a row that has no key, where `reject` is left out
 */
export function lastChanges<Row>(
  batch: ChangeBatch<Row>,
  key: KeyOf,
  places?: Uint32Array,
  reject?: Reject<Row>,
): LastChanges {
  const rows = { batch, places };
  try {
    return ascendingChanges(rows, key) ?? foldedChanges(rows, key);
  } catch (error) {
    if (reject === undefined || !isEosError(error, 'EOS_ROW')) throw error;
    const good = withKeys(rows, key, reject);
    return { ...foldedChanges(good, key), range: undefined };
  }
}

/** Numbers that ascend, as most new keys do, are known to be distinct: no table of them is made. Undefined where they do not. */
function ascendingChanges<Row>(rows: RowRange<Row>, key: KeyOf): LastChanges | undefined {
  const keys = new Float64Array(countOf(rows));
  let highest = -Infinity;
  const isAscending = everyKey(rows, key, (value, _place, index) => {
    if (typeof value !== 'number' || value <= highest) return false;
    keys[index] = highest = value;
    return true;
  });
  const [lowest] = keys;
  if (!isAscending || lowest === undefined) return undefined;
  return { size: keys.length, places: rows.places, keys: () => keys, range: { lowest, highest } };
}

function foldedChanges<Row>(rows: RowRange<Row>, key: KeyOf): LastChanges {
  const last = new Map<KeyValue, number>();
  everyKey(rows, key, (value, place) => {
    last.set(value, place);
    return true;
  });
  // Without a repeat rows are their own last changes, in their own order.
  const places = last.size === countOf(rows) ? rows.places : Uint32Array.from(last.values());
  return { size: last.size, places, keys: () => last.keys(), range: undefined };
}

/** False where `visit` says so of a key: the rest is not visited. */
function everyKey<Row>(
  range: RowRange<Row>,
  key: KeyOf,
  visit: (value: KeyValue, place: number, index: number) => boolean,
): boolean {
  const { batch, places } = range;
  const { rows } = batch;
  const count = countOf(range);
  let place = 0;
  try {
    for (let index = 0; index < count; index += 1) {
      place = places?.[index] ?? index;
      if (!visit(key(fieldsOf(rows[place])), place, index)) return false;
    }
  } catch (error) {
    throw isEosError(error) ? placedIn(error, batch, place) : error;
  }
  return true;
}

/** The rows whose key is good. */
function withKeys<Row>({ batch, places }: RowRange<Row>, key: KeyOf, reject: Reject<Row>): RowRange<Row> {
  const all = places ?? batch.rows.keys();
  const good = Array.from(all).filter((place) => {
    try {
      key(fieldsOf(batch.rows[place]));
      return true;
    } catch (error) {
      if (!isEosError(error, 'EOS_ROW')) throw error;
      reject(placedIn(error, batch, place), batch, place);
      return false;
    }
  });
  return { batch, places: Uint32Array.from(good) };
}

/** The change of the same key before the one at `index`: the last good one, where that is bad. */
export function changeBefore<Row>({ rows }: ChangeBatch<Row>, key: KeyOf, index: number): number | undefined {
  const wanted = keyOrNone(rows[index], key);
  for (let before = index - 1; before >= 0; before -= 1) {
    if (keyOrNone(rows[before], key) === wanted) return before;
  }
  return undefined;
}

function keyOrNone(row: unknown, key: KeyOf): KeyValue | undefined {
  try {
    return key(fieldsOf(row));
  } catch {
    return undefined;
  }
}

function countOf<Row>({ batch, places }: RowRange<Row>): number {
  return places?.length ?? batch.rows.length;
}

/** The keys of a transaction so far. */
export interface SeenKeys {
  /** Adds the keys of a batch, and tells whether any was there before. Never says no wrongly. */
  add(changes: LastChanges): boolean;
  /** No key so far is above it: Infinity where that is not known. */
  readonly highest: number;
}

/** @param remembered keys, beyond which any may be a repeat */
export function seenKeys(remembered = REMEMBERED_KEYS): SeenKeys {
  let highest = -Infinity;
  let count = 0;
  // Looked into only when a batch comes that is not above all before: most transactions are one batch, or ascend.
  let unread: LastChanges[] = [];
  const known = new Set<KeyValue>();

  const remember = (changes: LastChanges) => {
    count += changes.size;
    highest = Math.max(highest, changes.range?.highest ?? Infinity);
    if (count <= remembered) {
      unread.push(changes);
      return;
    }
    unread = [];
    known.clear();
  };
  const isKnown = (changes: LastChanges) => {
    if (count > remembered) return true;
    for (const earlier of unread) for (const key of earlier.keys()) known.add(key);
    unread = [];
    for (const key of changes.keys()) if (known.has(key)) return true;
    return false;
  };

  return {
    add(changes) {
      const isRepeated = count > 0 && (changes.range?.lowest ?? -Infinity) <= highest && isKnown(changes);
      remember(changes);
      return isRepeated;
    },
    get highest() {
      return highest;
    },
  };
}
