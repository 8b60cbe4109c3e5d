import { describe, expect, test } from '@jest/globals';
import type { TableCheck } from './check.js';
import { isProved, report, verdict, type Result } from './report.js';
import { byTable } from './tally.js';

const check = (difference: Partial<TableCheck> = {}): TableCheck => ({
  expected: 10,
  found: 10,
  lost: 0,
  duplicated: 0,
  wrong: 0,
  ...difference,
});
const good: Result = {
  checks: byTable((table) => (table.endsWith('routes') ? check({ expected: 5, found: 5 }) : check())),
  positions: {
    flights: { commits: 3, offset: 99, rowsLeft: 0 },
    routes: { commits: 2, offset: 55, rowsLeft: 0 },
    parquet: { commits: 1, offset: 99, rowsLeft: 0 },
    'delta-flights': { commits: 4, offset: 99, rowsLeft: 0 },
    'delta-routes': { commits: 6, offset: 55, rowsLeft: 0 },
  },
  kills: [
    { table: 'flights', place: 'write', point: 'write:between', count: 1 },
    { table: 'routes', place: 'landed', point: 'commit:before', count: 2 },
  ],
  landedUnseen: 1,
  contradictions: [],
};

describe('the report', () => {
  test('ends with the line that is promised', () => {
    expect(isProved(good)).toBe(true);
    expect(verdict(good)).toBe('exactly once: 40 of 40 rows, 0 lost, 0 duplicated, 2 kills');
  });

  test('shows tables, positions and kills by place', () => {
    const text = report(good);
    expect(text).toMatch(/^flights +10 +10 +0 +0 +0 +3 +byte 99$/m);
    expect(text).toMatch(/^inside a write +1 +0 +0 +0 +0 +1$/m);
    expect(text).toContain('before it knew: 1');
  });

  test.each<[string, Partial<Result>]>([
    ['a lost row', { checks: { ...good.checks, routes: check({ lost: 1 }) } }],
    ['a doubled row', { checks: { ...good.checks, flights: check({ duplicated: 1 }) } }],
    ['a wrong row', { checks: { ...good.checks, flights: check({ wrong: 1 }) } }],
    ['a position before the end', { positions: { ...good.positions, flights: { offset: 1, rowsLeft: 1 } } }],
    ['a doubled row in the files', { checks: { ...good.checks, parquet: check({ duplicated: 1 }) } }],
    ['a lost row in a Delta table', { checks: { ...good.checks, 'delta-routes': check({ lost: 1 }) } }],
    ['a contradiction', { contradictions: ['flights: …'] }],
  ])('says so for %s', (_, difference) => {
    const bad = { ...good, ...difference };
    expect(isProved(bad)).toBe(false);
    expect(verdict(bad)).toMatch(
      /^NOT exactly once: found \d+ of \d+ rows, \d+ lost, \d+ duplicated, \d+ wrong, 2 kills$/,
    );
  });
});
