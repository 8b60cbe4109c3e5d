import { describe, expect, test } from '@jest/globals';
import { killPlan, leastCommits, type Place } from './kill-plan.js';
import { MAX_SEED } from './random.js';
import { TABLES } from './tables.js';
import { byTable } from './tally.js';

const SEEDS = [MAX_SEED, ...Array.from({ length: 500 }, (_, seed) => seed)];
const FULL = { flights: 188, routes: 50, parquet: 37, 'delta-flights': 37, 'delta-routes': 12 };
const LEAST = byTable(leastCommits);

describe('the kill plan', () => {
  test('has enough of each kind, whatever the seed', () => {
    for (const seed of SEEDS) {
      const plan = killPlan(seed, FULL);
      const count = (...places: Place[]) => plan.filter(({ place }) => places.includes(place)).length;
      expect(plan.length).toBeGreaterThanOrEqual(12);
      expect(count('write')).toBeGreaterThanOrEqual(3);
      expect(count('prepared')).toBeGreaterThanOrEqual(3);
      expect(count('landed', 'lost', 'late')).toBeGreaterThanOrEqual(3);
    }
  });

  test('strikes each table at each place', () => {
    for (const seed of SEEDS) {
      const struck = killPlan(seed, FULL).map(({ table, place }) => `${table} ${place}`);
      // Flights and routes, in a write, prepared, at the three fates of a commit, and elsewhere; files without two of the fates, and
      // Delta tables not in a write either.
      expect(new Set(struck).size).toBe(2 * 6 + 4 + 2 * 3);
    }
  });

  test.each([
    ['the full data', FULL],
    ['the least number of commits', LEAST],
  ])('fits into %s: no writer reaches the end before its kill', (_, commits) => {
    for (const seed of SEEDS) {
      const plan = killPlan(seed, commits);
      for (const table of TABLES) {
        const counts = plan.filter((kill) => kill.table === table).map(({ count }) => count);
        expect(Math.min(...counts)).toBeGreaterThanOrEqual(1);
        expect(counts.reduce((sum, count) => sum + count)).toBeLessThan(commits[table]);
      }
    }
  });

  test('refuses too few commits', () => {
    expect(() => killPlan(1, { ...LEAST, routes: LEAST.routes - 1 })).toThrow(RangeError);
  });

  test('is repeated by its seed, and another for another', () => {
    expect(killPlan(7, FULL)).toEqual(killPlan(7, FULL));
    expect(killPlan(7, FULL)).not.toEqual(killPlan(8, FULL));
  });
});
