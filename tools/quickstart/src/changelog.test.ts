import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  CANCELLED_AFTER,
  CANCELLED_EVERY,
  changelogText,
  routeChanges,
  type RouteChange,
  type RouteFlight,
} from './changelog.js';
import { prepareData } from './data.js';
import { expectedRoutes, routeText } from './oracle.js';

/** What a table holds after all changes: each must fit what is there. */
function replay(changes: Iterable<RouteChange>): Map<string, string> {
  const table = new Map<string, string>();
  for (const { op, origin, destination, flights, delay_minutes: delay } of changes) {
    const key = `${origin}-${destination}`;
    const text = routeText({ flights, delay });
    if (op === '-U' || op === '-D') {
      expect(table.get(key)).toBe(text);
      table.delete(key);
    } else {
      expect(table.has(key)).toBe(false);
      table.set(key, text);
    }
  }
  return table;
}

const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));

const manyFlights = fc.array(
  fc.record({
    origin: fc.constantFrom('AAA', 'BBB', 'CCC'),
    destination: fc.stringMatching(/^[A-Z]{3}$/),
    delay: fc.integer({ min: -60, max: 1_000 }),
  }),
  { minLength: 0, maxLength: 1_300, size: 'max' },
);

describe('the changelog of the routes', () => {
  test('replayed, gives what the oracle works out from the flights alone', () => {
    const seed = Number(process.env['EOS_TEST_SEED'] ?? Date.now() % 2 ** 31);
    fc.assert(
      fc.property(manyFlights, (flights) => {
        expect(replay(routeChanges(flights))).toEqual(expectedRoutes(bytes(flights)));
      }),
      { seed, numRuns: 40 },
    );
  });

  test('opens with +I, goes on with -U and +U, and ends a route with -D', () => {
    const lone: RouteFlight = { origin: 'AAA', destination: 'ZZZ', delay: 7 };
    const usual: RouteFlight = { origin: 'AAA', destination: 'BBB', delay: 1 };
    const flights = Array.from({ length: CANCELLED_EVERY + CANCELLED_AFTER }, (_, index) =>
      index === CANCELLED_EVERY - 1 ? lone : usual,
    );
    const changes = [...routeChanges(flights)];
    expect(changes.slice(0, 3).map(({ op, flights: count }) => `${op} ${count}`)).toEqual([
      '+I 1',
      '-U 1',
      '+U 2',
    ]);
    expect(changes.at(-1)).toEqual({
      op: '-D',
      origin: 'AAA',
      destination: 'ZZZ',
      flights: 1,
      delay_minutes: 7,
    });
    expect([...routeChanges(flights.slice(0, -1))].some(({ op }) => op === '-D')).toBe(false);
  });

  test('gives the byte of each line', () => {
    const { text, offsets } = changelogText([
      { origin: 'ÄÖÜ', destination: 'BBB', delay: 1 },
      { origin: 'ÄÖÜ', destination: 'BBB', delay: 2 },
    ]);
    const file = Buffer.from(text);
    const lines = offsets.map(
      (offset) => JSON.parse(file.subarray(offset, file.indexOf('\n', offset)).toString()) as RouteChange,
    );
    expect(lines.map(({ op }) => op)).toEqual(['+I', '-U', '+U']);
  });

  test('of the real flights: 2,977 routes, retractions of every kind, and no 500 changes that could be left out', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'quickstart-test-'));
    try {
      const { changelogFile, routeFlightsFile } = await prepareData(folder);
      const changes = (await readFile(changelogFile, 'utf8'))
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as RouteChange);
      const expected = expectedRoutes(await readFile(routeFlightsFile));
      expect(replay(changes)).toEqual(expected);
      expect(new Set(changes.map(({ origin, destination }) => `${origin}-${destination}`)).size).toBe(2_977);
      const count = (op: string) => changes.filter((change) => change.op === op).length;
      expect(count('-U')).toBe(count('+U'));
      expect(count('+I') - count('-D')).toBe(expected.size);
      expect(count('-D')).toBeGreaterThan(0);
      // So that an unsafe run that loses a commit cannot end with the right table by luck.
      expect(changesThatMatter(changes, 500)).toBe(true);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

/** Whether each run of `length` changes holds the last one of some route, which no later change makes good. */
function changesThatMatter(changes: readonly RouteChange[], length: number): boolean {
  const last = new Map(changes.map(({ origin, destination }, index) => [`${origin}-${destination}`, index]));
  const ends = [...last.values()].sort((left, right) => left - right);
  return [-1, ...ends, changes.length].every(
    (end, index, all) => (all[index + 1] ?? changes.length) - end <= length,
  );
}
