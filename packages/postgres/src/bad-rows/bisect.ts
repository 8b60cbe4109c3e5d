/** Which rows of a range the server rejects: found by trying ever smaller parts, each under a savepoint. */
import type { EosError } from '@eos/core';

/** Rows by their number, `to` not included. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

export interface Bisection {
  /** Writes these rows for good, or none of them: then why, and the number of the row that it was about, where that is known. */
  readonly attempt: (range: Range) => Promise<Refusal | undefined>;
  readonly reject: (row: number, error: EosError) => void;
  /** Whether a row that was rejected may still be written behind those that come after it. */
  readonly mayBeLate: (row: number) => boolean;
}

export interface Refusal {
  readonly error: EosError;
  readonly row: number | undefined;
}

interface Part extends Range {
  /** Why the part is known to be refused. */
  readonly refusal?: Refusal;
}

/**
 * Writes all good rows of `range`, in order, and rejects the others. Where the server names the row, what lies before it is good and
 * goes in as one; else the part is halved. A bad row so costs two tries, or about twice as many as the range can be halved.
 *
 * A row that was rejected because of others (a foreign key whose parent comes later, a unique key that another bad row held) is tried
 * again in the end, so that it does not depend on how the rows were cut.
 */
export async function bisect(range: Range, refusal: Refusal, bisection: Bisection): Promise<void> {
  const suspects = await pass([{ ...range, refusal }], bisection);
  await retryLate(suspects, bisection);
}

type Suspect = readonly [row: number, error: EosError];

async function pass(parts: Part[], { attempt, reject, mayBeLate }: Bisection): Promise<Suspect[]> {
  const suspects: Suspect[] = [];
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    const { from, to } = part;
    if (from === to) continue;
    const found = part.refusal ?? (await attempt(part));
    if (found === undefined) continue;
    if (to - from === 1) {
      if (isOfOthers(found.error) && mayBeLate(from)) suspects.push([from, found.error]);
      else reject(from, found.error);
      continue;
    }
    parts.push(...split(part, found));
  }
  return suspects;
}

/** The parts of a range that was refused, the last one first. */
function split({ from, to }: Range, { row }: Refusal): Part[] {
  if (row !== undefined && row >= from && row < to) {
    return [
      { from: row + 1, to },
      { from: row, to: row + 1 },
      { from, to: row },
    ];
  }
  const middle = (from + to) >> 1;
  return [
    { from: middle, to },
    { from, to: middle },
  ];
}

/** One after the other as long as that helps: a row may be what the next one waits for. */
async function retryLate(suspects: readonly Suspect[], { attempt, reject }: Bisection): Promise<void> {
  let left = suspects;
  let before = Infinity;
  while (left.length > 0 && left.length < before) {
    before = left.length;
    const still: Suspect[] = [];
    for (const [row] of left) {
      const refusal = await attempt({ from: row, to: row + 1 });
      if (refusal !== undefined) still.push([row, refusal.error]);
    }
    left = still;
  }
  for (const [row, error] of left) reject(row, error);
}

/** Foreign key, unique, exclusion; what a trigger raises may be about anything. */
const OF_OTHERS: ReadonlySet<unknown> = new Set(['23503', '23505', '23P01', 'P0001']);

function isOfOthers({ details }: EosError): boolean {
  return OF_OTHERS.has(details['sqlState']);
}
