/**
 * The endless changes that the writers read: each is made from its offset alone, so that any writer can read it again, and the
 * oracle can make it without the writers.
 */
import { rowSchema, t, type ChangelogMode, type OpName, type RowInput } from '@eos/core';

export const schema = rowSchema({ id: t.int64(), word: t.string(), number: t.int32().nullable() });
export type SoakRow = RowInput<typeof schema>;

export interface SoakChange {
  readonly op: OpName;
  readonly row: SoakRow;
}

/** So many keys: each changes again and again. */
const KEYS = 2_000n;
/** So few different rows, that there are many copies of each. */
const DISTINCT = 300n;

/** What stands at an offset of the changelog of a mode. */
export function changeAt(mode: ChangelogMode, offset: bigint): SoakChange {
  switch (mode) {
    case 'append':
      return { op: '+I', row: rowOf(offset, offset) };
    case 'upsert':
      return { op: scatter(offset) % 5n === 0n ? '-D' : '+U', row: rowOf(scatter(offset) % KEYS, offset) };
    case 'retract':
      // Every fourth takes back the one two before it, of which there may be many copies.
      return offset % 4n === 3n ? { op: '-D', row: copyOf(offset - 2n) } : { op: '+I', row: copyOf(offset) };
  }
}

/** What the destination must hold after the changes below `end`: the text of each row, and how many copies. */
export function expectedRows(mode: ChangelogMode, end: bigint): ReadonlyMap<string, number> {
  const rows = new Map<string, number>();
  const latest = new Map<bigint, string>();
  const add = (text: string, copies: number) => {
    const count = (rows.get(text) ?? 0) + copies;
    if (count === 0) rows.delete(text);
    else rows.set(text, count);
  };
  for (let offset = 0n; offset < end; offset++) {
    const { op, row } = changeAt(mode, offset);
    const key = BigInt(row.id);
    const before = mode === 'upsert' ? latest.get(key) : undefined;
    if (before !== undefined) add(before, -1);
    latest.delete(key);
    if (op !== '-D') add(textOf(row), 1);
    else if (mode === 'retract') add(textOf(row), -1);
    if (op !== '-D' && mode === 'upsert') latest.set(key, textOf(row));
  }
  return rows;
}

/** The same text as the query of `found.ts` makes. */
export function textOf({ id, word, number }: SoakRow): string {
  return `${id}|${word}|${number ?? ''}`;
}

function copyOf(offset: bigint): SoakRow {
  const which = scatter(offset) % DISTINCT;
  return rowOf(which, which);
}

function rowOf(id: bigint, content: bigint): SoakRow {
  const number = Number(scatter(content) % 1_000n);
  return { id, word: `word ${scatter(content + 7n) % 10_000n}`, number: number < 50 ? null : number };
}

/** Spreads neighbouring offsets (a step of SplitMix64). */
function scatter(value: bigint): bigint {
  const mixed = BigInt.asUintN(64, (value + 1n) * 0x9e3779b97f4a7c15n);
  return (mixed ^ (mixed >> 31n)) >> 8n;
}
