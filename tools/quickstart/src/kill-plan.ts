/** Where the writers will be killed: drawn from a seed, with so many of each kind that a run proves something. */
import type { CrashPoint } from '@eos/testkit';
import { oneOf, seededRandom, shuffled, type Random } from './random.js';
import { isInDatabase, TABLES, type Table } from './tables.js';

/**
 * The places of a kill, with what the report calls them. The three about a commit under way are staged with a proxy between writer
 * and server, so that each of the three fates of a request does occur. Between a writer and its own disk there is none: there it is killed
 * when the commit was made and nobody knows of it yet.
 */
export const PLACES = {
  write: 'inside a write',
  prepared: 'between prepare and commit',
  landed: 'commit under way: it landed, its answer did not',
  lost: 'commit under way: it never arrived',
  late: 'commit under way: it arrived after the next claim',
  elsewhere: 'elsewhere: recover, begin, …',
} as const;

export type Place = keyof typeof PLACES;

/** The writer is killed when it reaches `point` for the `count`-th time, as it fills `table`. */
export interface PlannedKill {
  readonly table: Table;
  readonly place: Place;
  readonly point: CrashPoint;
  /** From 1, counted within the life of one writer. */
  readonly count: number;
}

/** For each table: what it always gets, and how many more, at any place. */
const SHARES: Readonly<Record<Table, { readonly always: readonly Place[]; readonly further: number }>> = {
  flights: {
    always: ['write', 'write', 'prepared', 'prepared', 'landed', 'landed', 'lost', 'late', 'elsewhere'],
    further: 2,
  },
  routes: { always: ['write', 'prepared', 'landed', 'lost', 'late', 'elsewhere'], further: 1 },
  parquet: {
    always: ['write', 'write', 'prepared', 'prepared', 'landed', 'landed', 'elsewhere'],
    further: 0,
  },
  // Inside a write of this size nothing of a Delta table has reached the disk yet.
  'delta-flights': { always: ['prepared', 'landed', 'elsewhere'], further: 0 },
  'delta-routes': { always: ['prepared', 'landed', 'elsewhere'], further: 0 },
};

const ALL_PLACES = ['write', 'prepared', 'landed', 'lost', 'late', 'elsewhere'] as const;

const ELSEWHERE = [
  'recover:before',
  'recover:after',
  'begin:before',
  'begin:after',
  'write:before',
  'write:after',
  'prepare:before',
  'commit:during',
  'commit:after',
] as const;

/** The least number of commits of a table that leaves room for its kills. */
export function leastCommits(table: Table): number {
  return killsOf(table) + 1;
}

/**
 * The kills in the order in which they happen, at least 12, at least three of each of the first two places and of the three fates of
 * a commit together.
 * @param commits how many commits each table takes at least
 * @throws RangeError where there are too few
 */
export function killPlan(seed: number, commits: Readonly<Record<Table, number>>): PlannedKill[] {
  const random = seededRandom(seed);
  return TABLES.flatMap((table) => killsDuring(table, commits[table], random));
}

function killsDuring(table: Table, commits: number, random: Random): PlannedKill[] {
  if (commits < leastCommits(table)) {
    throw new RangeError(`${commits} commits of ${table} leave no room for ${killsOf(table)} kills`);
  }
  const { always, further } = SHARES[table];
  const drawn = Array.from({ length: further }, () => oneOf(random, ALL_PLACES));
  const places = shuffled(random, [...always, ...drawn]);
  // Which commits are struck, of all but the last; each writer counts from its own start.
  const struck = shuffled(
    random,
    Array.from({ length: commits - 1 }, (_, index) => index + 1),
  )
    .slice(0, places.length)
    .sort((left, right) => left - right);
  return places.map((place, index) => {
    const point = pointOf(table, place, random);
    const count = (struck[index] ?? 0) - (struck[index - 1] ?? 0);
    // A writer recovers once.
    return { table, place, point, count: point.startsWith('recover') ? 1 : count };
  });
}

function pointOf(table: Table, place: Place, random: Random): CrashPoint {
  switch (place) {
    case 'write':
      return 'write:between';
    case 'prepared':
      return oneOf(random, ['prepare:after', 'commit:before']);
    case 'landed':
      return isAtProxy({ table, place }) ? 'commit:before' : 'commit:after';
    case 'lost':
    case 'late':
      return 'commit:before';
    case 'elsewhere':
      return oneOf(random, ELSEWHERE);
  }
}

/** Whether a proxy decides what becomes of the request: not on a disk. */
export function isAtProxy({ table, place }: Pick<PlannedKill, 'table' | 'place'>): boolean {
  return isInDatabase(table) && (place === 'landed' || place === 'lost' || place === 'late');
}

function killsOf(table: Table): number {
  return SHARES[table].always.length + SHARES[table].further;
}
