/** The rows of an upsert: one in a hundred of a table, each with new values. */
import { rowMaker, type BenchRow } from '../rows.js';

/** `spread`: one row of each hundred, in every file. `recent`: the last ones, in the last files. */
export const CHOICES = ['spread', 'recent'] as const;

export type Choice = (typeof CHOICES)[number];

export const SHARE = 100;

/** Keys are those of a table with `rows` rows, from 1 on. The Python of the baseline chooses the same. */
export function changedIds(choice: Choice, rows: number): number[] {
  const count = Math.floor(rows / SHARE);
  return Array.from({ length: count }, (_, index) =>
    choice === 'spread' ? 1 + index * SHARE + ((index * 37) % SHARE) : 1 + rows - count + index,
  );
}

export function changedRows(choice: Choice, rows: number): BenchRow[] {
  const make = rowMaker(99);
  return changedIds(choice, rows).map((id) => ({ ...make(id), note: 'changed' }));
}
