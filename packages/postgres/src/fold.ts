/** The changes of a transaction by key: the last of each counts. */
import { isEosError, type ChangeBatch } from '@eos/core';
import { fieldsOf } from './copy-text.js';
import type { KeyOf, KeyValue } from './keys.js';
import { placedIn } from './sent-rows.js';

/** Keys of a transaction that are remembered; beyond it any may be a repeat. Bounds memory to some 10 MB. */
const REMEMBERED_KEYS = 100_000;

/** Each key with the place in the batch of its last change, in the order in which the keys came first. */
export function lastChanges<Row>(batch: ChangeBatch<Row>, key: KeyOf): ReadonlyMap<KeyValue, number> {
  const { rows } = batch;
  const last = new Map<KeyValue, number>();
  let index = 0;
  try {
    for (; index < rows.length; index += 1) last.set(key(fieldsOf(rows[index])), index);
  } catch (error) {
    throw isEosError(error) ? placedIn(error, batch, index) : error;
  }
  return last;
}

/** Tells whether any key of a batch was in an earlier one of the same transaction. Never says no wrongly. */
export function repeatFinder(): (keys: ReadonlyMap<KeyValue, number>) => boolean {
  let first: ReadonlyMap<KeyValue, number> | undefined;
  let known: Set<KeyValue> | undefined;
  return (keys) => {
    // Most transactions are one batch: nothing is copied for them.
    if (first === undefined) {
      first = keys;
      return false;
    }
    if ((known ?? first).size > REMEMBERED_KEYS) return true;
    known ??= new Set(first.keys());
    const before = known.size;
    for (const key of keys.keys()) known.add(key);
    return known.size < before + keys.size;
  };
}
