import { describe, expect, test } from '@jest/globals';
import { withLaboratory } from '../laboratory.js';
import { parseOptions } from '../options.js';
import { jsonLine } from '../report.js';
import { POSTGRES_CASES } from './index.js';

const QUICK = ['postgres', '--quick', '--rows=6000', '--commits=200', '--memory-rows=30000'];

/** Every name that a report is expected to have, so that none gets lost. */
const EXPECTED = [
  'postgres/append/commit=5000/vs-copy',
  'postgres/append/commit=20000/vs-copy',
  'postgres/append/dead-letters=0.1%/commit=5000',
  'postgres/upsert-new/commit=5000/vs-copy',
  'postgres/upsert-new/commit=20000/vs-copy',
  'postgres/upsert-new/commit=5000/vs-values',
  'postgres/upsert-existing/commit=5000/vs-values',
  'postgres/mixed-10pct-delete/commit=5000/vs-values',
  'postgres/retract/commit=5000/inserts/vs-copy',
  'postgres/retract/commit=5000/half-retractions/vs-by-hand',
  'postgres/routing/tables=100/vs-copy-each',
  'postgres/wide/columns=100/vs-copy',
  'postgres/large/row=1MB/vs-copy',
  'postgres/append/round-trips-per-commit',
  'postgres/upsert/round-trips-per-commit',
  'postgres/append/commit-latency/p50',
  'postgres/append/commit-latency/p99',
  'postgres/append/commit-latency/rtt=5ms/p50',
  'postgres/append/commit-latency/rtt=50ms/p99',
  'postgres/append/commit=5000/rtt=5ms/vs-copy',
  'postgres/append/commit=5000/rtt=50ms/vs-copy',
  'postgres/recover',
  'postgres/append/kill-to-first-commit',
  'postgres/append/memory/peak',
  'postgres/append/memory/growth',
];

describe('the cases', () => {
  test('have names of their own, and none is missing', () => {
    const names = POSTGRES_CASES.flatMap((part) => part.names);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining(EXPECTED));
  });

  test('yield every measurement that they announce, on a real server', async () => {
    const options = parseOptions(QUICK);
    const yielded = await withLaboratory(
      options,
      () => undefined,
      async (laboratory) => {
        const all = [];
        for (const part of POSTGRES_CASES) all.push(...(await part.measure(laboratory)));
        return all;
      },
    );
    expect(yielded.map(({ name }) => name)).toEqual(POSTGRES_CASES.flatMap((part) => part.names));
    for (const line of yielded) {
      expect(line.ours).toBeGreaterThanOrEqual(line.name.endsWith('/growth') ? -Infinity : 0.001);
      expect(JSON.parse(jsonLine(line))).toMatchObject({ name: line.name, unit: line.unit, runs: line.runs });
    }
  }, 240_000);
});
