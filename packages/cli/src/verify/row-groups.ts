/** Rows of both sides by key, and what is wrong with those of one key. */
import type { PartitionId } from '@eos/core';

/** Where in the source a row comes from: at `offset`, or, where that is not known, somewhere before `next`. */
export interface Place {
  readonly partition: PartitionId;
  readonly offset: bigint;
  /** The first offset behind; `offset` itself where that is exact. */
  readonly next: bigint;
}

/** Lines are texts of one character a byte. */
export interface Difference {
  /**
   * - `lost`: should be there, and is not.
   * - `doubled`: is there more often than it should.
   * - `changed`: another row has its key.
   * - `foreign`: is there, and should not.
   */
  readonly kind: 'lost' | 'doubled' | 'changed' | 'foreign';
  /** How many: missing, too many, or 1. */
  readonly copies: number;
  readonly expected?: string;
  readonly found?: string;
  /** The change of the source that the expected row comes from. */
  readonly place?: Place;
}

interface Tally {
  expected: number;
  found: number;
  place: Place | undefined;
}

/** The rows of one key. */
interface Group {
  readonly rows: Map<string, Tally>;
  /** In an upsert: the row that was put last. */
  current: string | undefined;
}

/** What a row takes beside its text: entries of two maps, and their values. */
const ROW_BYTES = 400;

export class RowGroups {
  #bytes = 0;
  #rows = 0;
  readonly #groups = new Map<string, Group>();

  constructor(private readonly isUpsert: boolean) {}

  /** Whether they take more than about `bytes` of memory. A single row never does. */
  exceed(bytes: number): boolean {
    return this.#bytes > bytes && this.#rows > 1;
  }

  addFound(key: string, row: string): void {
    this.#tally(this.#group(key), row).found++;
  }

  addExpected(key: string, row: string, isTaken: boolean, place: Place): void {
    const group = this.#group(key);
    if (this.isUpsert) {
      this.#replace(group);
      // Where only its key is known, there is no row to speak of.
      if (isTaken) return;
    }
    const tally = this.#tally(group, row);
    tally.expected += isTaken ? -1 : 1;
    if (!isTaken) tally.place = place;
    if (this.isUpsert) group.current = row;
  }

  all(): Iterable<Group> {
    return this.#groups.values();
  }

  #group(key: string): Group {
    let group = this.#groups.get(key);
    if (group === undefined) this.#groups.set(key, (group = { rows: new Map(), current: undefined }));
    return group;
  }

  #tally(group: Group, row: string): Tally {
    let tally = group.rows.get(row);
    if (tally === undefined) {
      group.rows.set(row, (tally = { expected: 0, found: 0, place: undefined }));
      this.#bytes += row.length + ROW_BYTES;
      this.#rows++;
    }
    return tally;
  }

  /** A key that changes a million times has one row all the same. */
  #replace(group: Group): void {
    const { current, rows } = group;
    group.current = undefined;
    if (current === undefined) return;
    const tally = rows.get(current);
    if (tally === undefined) return;
    tally.expected = 0;
    if (tally.found > 0) return;
    rows.delete(current);
    this.#bytes -= current.length + ROW_BYTES;
    this.#rows--;
  }
}

interface Surplus {
  readonly row: string;
  copies: number;
  readonly place: Place | undefined;
}

/** @param isKeyed whether rows of one group are versions of each other: a lost and a foreign one are then one that was changed */
export function judgeGroup({ rows }: Group, isKeyed: boolean): readonly Difference[] {
  const differences: Difference[] = [];
  const lost: Surplus[] = [];
  const foreign: Surplus[] = [];
  for (const [row, { expected, found, place }] of rows) {
    const copies = found - Math.max(expected, 0);
    if (copies < 0) lost.push({ row, copies: -copies, place });
    else if (copies > 0 && expected <= 0) foreign.push({ row, copies, place: undefined });
    else if (copies > 0)
      differences.push({ kind: 'doubled', copies, expected: row, found: row, ...at(place) });
  }
  if (isKeyed) differences.push(...pairChanged(lost, foreign));
  for (const { row, copies, place } of lost)
    if (copies > 0) differences.push({ kind: 'lost', copies, expected: row, ...at(place) });
  for (const { row, copies } of foreign)
    if (copies > 0) differences.push({ kind: 'foreign', copies, found: row });
  return differences;
}

/** What is paired is taken from both. */
function* pairChanged(lost: readonly Surplus[], foreign: readonly Surplus[]): Generator<Difference> {
  let next = 0;
  for (const missing of lost) {
    while (missing.copies > 0) {
      const other = foreign[next];
      if (other === undefined) return;
      const copies = Math.min(missing.copies, other.copies);
      missing.copies -= copies;
      other.copies -= copies;
      yield { kind: 'changed', copies, expected: missing.row, found: other.row, ...at(missing.place) };
      if (other.copies === 0) next++;
    }
  }
}

function at(place: Place | undefined): { place?: Place } {
  return place === undefined ? {} : { place };
}
