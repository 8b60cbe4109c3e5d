/** The changes: a function of their number, so that a process and the reader in another language know each of them. */
import { Op, rowSchema, t } from '@eos/core';
import { json } from '@eos/kafka';

export const schema = rowSchema({
  id: t.int64(),
  version: t.int32().nullable(),
  text: t.string().nullable(),
});

export interface ChangedRow {
  readonly id: bigint;
  readonly version: number | null;
  readonly text: string | null;
}

/** Records as they lie in both topics: the row by its key, a tombstone for a delete. */
export const format = json({ schema, mode: 'upsert', key: ['id'], keyForm: 'text' });

const TEXT = 'the quick brown fox jumps over the lazy dog and then sleeps';

/** How many keys there are, for so many changes: each changes about ten times. */
export const keysOf = (changes: number): number => Math.max(1, Math.ceil(changes / 10.7));

/** Every fifth change of a key deletes it, not at the same time for all. */
export const isDelete = (key: number, version: number): boolean => (key + version) % 5 === 4;

export function changeAt(index: number, keys: number): { readonly row: ChangedRow; readonly op: Op } {
  const key = index % keys;
  const version = Math.floor(index / keys);
  const id = BigInt(key);
  if (isDelete(key, version)) return { row: { id, version: null, text: null }, op: Op.delete };
  return { row: { id, version, text: TEXT }, op: Op.updateAfter };
}
