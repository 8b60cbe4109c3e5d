import { describe, expect, test } from '@jest/globals';
import { openQuickstart } from './quickstart.js';
import { isProved, verdict, type Result } from './report.js';

const seed = Number(process.env['EOS_TEST_SEED'] ?? Date.now() % 2 ** 31);

/** Less data, with smaller commits: as many kills. */
async function run(unsafe: boolean, signal = new AbortController().signal): Promise<Result> {
  const quickstart = await openQuickstart({
    seed,
    unsafe,
    slice: { flights: 20_000, routeFlights: 10_000 },
    commitRows: {
      flights: 500,
      routes: 400,
      parquet: 900,
      'delta-flights': 1_000,
      'delta-routes': 1_000,
    },
    startProgress: () => ({ show: () => undefined, stop: () => undefined }),
    signal,
  });
  try {
    return await quickstart.run();
  } finally {
    await quickstart.close();
  }
}

describe(`a small quickstart (EOS_TEST_SEED=${seed})`, () => {
  test('finds every row exactly once', async () => {
    const result = await run(false);
    expect(result.contradictions).toEqual([]);
    expect(verdict(result)).toMatch(/^exactly once: (\d+) of \1 rows, 0 lost, 0 duplicated, 31 kills$/);
    expect(result.checks.flights.expected).toBe(20_000);
    expect(result.checks.parquet.found).toBe(20_000);
    expect(result.checks['delta-flights'].found).toBe(20_000);
    expect(result.checks['delta-routes'].found).toBe(result.checks.routes.expected);
    expect(result.landedUnseen).toBeGreaterThanOrEqual(3);
  }, 300_000);

  test('finds what a writer loses and doubles that commits offsets apart from rows', async () => {
    const result = await run(true);
    expect(isProved(result)).toBe(false);
    expect(result.checks.flights.duplicated).toBeGreaterThan(0);
    expect(result.checks.parquet.duplicated).toBeGreaterThan(0);
    expect(result.checks['delta-flights'].duplicated).toBeGreaterThan(0);
    expect(result.checks.routes.lost + result.checks.routes.wrong).toBeGreaterThan(0);
    expect(verdict(result)).toMatch(/^NOT exactly once: /);
  }, 300_000);

  test('ends at once when it is stopped', async () => {
    const stop = new AbortController();
    const running = run(false, stop.signal);
    setTimeout(() => stop.abort(), 2_500);
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
  }, 300_000);
});
