/**
 * The rows that every case writes: six mixed columns, about a hundred bytes each, made from a fixed seed before any clock starts.
 * Values are what a Node program has at hand: a bigint key, a Date.
 */
import { rowSchema, t, type RowInput } from '@eos/core';

export const schema = rowSchema({
  id: t.int64(),
  name: t.string(),
  amount: t.float64(),
  quantity: t.int32(),
  happened_at: t.timestamp(),
  note: t.string().nullable(),
});

export type BenchRow = RowInput<typeof schema>;

/** The columns as Postgres declares them, in the order of `schema`. */
export const COLUMN_DEFINITIONS = [
  'id bigint NOT NULL',
  'name text NOT NULL',
  'amount double precision NOT NULL',
  'quantity integer NOT NULL',
  'happened_at timestamptz NOT NULL',
  'note text',
] as const;

const SYLLABLES = ['ka', 'ro', 'mi', 'ten', 'sul', 'vor', 'ela', 'qui', 'nor', 'zed', 'pla', 'ust'] as const;
/** One row in a hundred has what a text format must escape, or cannot hold in one byte. */
const AWKWARD = ['tab\tand\\slash', 'two\nlines', 'naïve – café', '日本語のノート'] as const;
const START = Date.UTC(2024, 0, 1);

/** Numbers in [0, 1) from a seed (mulberry32): the same on every machine. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A function that makes the row of a key; called in the same order, it makes the same rows. */
export function rowMaker(seed: number): (id: number) => BenchRow {
  const random = randomNumbers(seed);
  const word = (count: number) => {
    let text = '';
    for (let index = 0; index < count; index++)
      text += SYLLABLES[Math.floor(random() * SYLLABLES.length)] ?? '';
    // Joining leaves a tree of pieces, which the first reader would have to flatten within its measured time.
    return Buffer.from(text, 'latin1').toString('latin1');
  };
  const note = (id: number) => {
    if (id % 100 === 0) return AWKWARD[(id / 100) % AWKWARD.length] ?? null;
    return random() < 0.3 ? null : word(12);
  };
  return (id) => ({
    id: BigInt(id),
    name: word(7),
    amount: Math.round(random() * 1e7) / 100,
    quantity: Math.floor(random() * 100_000),
    happened_at: new Date(START + id * 1000 + Math.floor(random() * 1000)),
    note: note(id),
  });
}

/** `count` rows with the keys `first`, `first + 1`, … */
export function makeRows(count: number, { seed = 1, first = 1 } = {}): BenchRow[] {
  const make = rowMaker(seed);
  const rows = new Array<BenchRow>(count);
  for (let index = 0; index < count; index++) rows[index] = make(first + index);
  return rows;
}

/** Puts a list in a random order that the seed decides. */
export function shuffle<T>(list: T[], seed: number): T[] {
  const random = randomNumbers(seed);
  for (let last = list.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    // Both indexes are within the list.
    [list[last], list[other]] = [list[other] as T, list[last] as T];
  }
  return list;
}
