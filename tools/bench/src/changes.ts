/** The changelogs of the cases. Each key comes once, so that a baseline that folds nothing can write them too. */
import type { OpName } from '@eos/core';
import { makeRows, randomNumbers, shuffle, type BenchRow } from './rows.js';

export interface Changelog {
  /** What the table holds before. */
  readonly before: readonly BenchRow[];
  readonly rows: readonly BenchRow[];
  readonly ops?: readonly OpName[];
  /** How many rows the table holds after. */
  readonly after: number;
}

/** Every key is there already, with other values; they come in random order. */
export function existingKeys(before: readonly BenchRow[]): Changelog {
  const rows = shuffle(makeRows(before.length, { seed: 2 }), 3);
  return { before, rows, ops: rows.map(() => '+U'), after: before.length };
}

/** One change in ten deletes a key that is there; the others update one (half of them) or insert a new one, mixed at random. */
export function tenPercentDeletes(before: readonly BenchRow[]): Changelog {
  const random = randomNumbers(4);
  const known = shuffle(makeRows(before.length, { seed: 5 }), 6);
  // Popped in ascending order, as new keys mostly come.
  const fresh = makeRows(before.length, { seed: 7, first: before.length + 1 }).reverse();
  const rows: BenchRow[] = [];
  const ops: OpName[] = [];
  let after = before.length;
  for (let index = 0; index < before.length; index++) {
    const draw = random();
    const op: OpName = draw < 0.1 ? '-D' : draw < 0.55 ? '+U' : '+I';
    const row = op === '+I' ? fresh.pop() : known.pop();
    if (row === undefined) break;
    rows.push(row);
    ops.push(op);
    if (op === '-D') after--;
    if (op === '+I') after++;
  }
  return { before, rows, ops, after };
}

/** Half of the changes take back a row that is there, in random order; the others insert a new one, mixed at random. */
export function halfRetractions(
  before: readonly BenchRow[],
): Changelog & { readonly ops: readonly OpName[] } {
  const random = randomNumbers(8);
  const known = shuffle([...before], 9);
  const fresh = makeRows(before.length, { seed: 10, first: before.length + 1 }).reverse();
  const rows: BenchRow[] = [];
  const ops: OpName[] = [];
  let after = before.length;
  for (let index = 0; index < before.length; index++) {
    const op: OpName = random() < 0.5 ? '-D' : '+I';
    const row = op === '+I' ? fresh.pop() : known.pop();
    if (row === undefined) break;
    rows.push(row);
    ops.push(op);
    after += op === '+I' ? 1 : -1;
  }
  return { before, rows, ops, after };
}
