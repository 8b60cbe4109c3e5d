import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { changeAt, expectedRows, textOf } from './changes.js';
import { HEAP, HOT_TABLE, Samples } from './gauges.js';
import { reportOf } from './report.js';
import type { SoakResult } from './soak.js';

const GOOD: SoakResult = {
  faults: new Map([['server crashed', 2]]),
  totals: { commits: 9, settled: 1, retries: 3, fenced: 1 },
  tables: [{ name: 'steady_append', changes: 10n, rows: 10, lost: 0, duplicated: 0, wrong: 0 }],
  gauges: [],
  positions: { found: 8, most: 8 },
  problems: [],
};

test('the oracle folds what the changes say', () => {
  expect([...expectedRows('append', 3n).keys()]).toEqual(
    [0n, 1n, 2n].map((offset) => textOf(changeAt('append', offset).row)),
  );
  const last = new Map<string, string>();
  for (let offset = 0n; offset < 5_000n; offset++) {
    const { op, row } = changeAt('upsert', offset);
    if (op === '-D') last.delete(String(row.id));
    else last.set(String(row.id), textOf(row));
  }
  expect(new Set(expectedRows('upsert', 5_000n).keys())).toEqual(new Set(last.values()));
  const copies = [...expectedRows('retract', 4_000n).values()];
  expect(copies.reduce((sum, count) => sum + count, 0)).toBe(2_000);
  expect(Math.min(...copies)).toBeGreaterThan(0);
});

test('a gauge tells growth from breathing', () => {
  const flat = new Samples('flat', HEAP);
  const growing = new Samples('growing', HEAP);
  for (let step = 0; step < 400; step++) {
    flat.add((100 + (step % 10)) * 1e6);
    growing.add((100 + step) * 1e6);
  }
  expect(flat.gauge().isBounded).toBe(true);
  expect(growing.gauge().isBounded).toBe(false);
  // What half an hour leaves where no position is ever trimmed.
  const untrimmed = new Samples('untrimmed', HOT_TABLE);
  for (let step = 0; step < 400; step++) untrimmed.add((step / 400) * 7e6);
  expect(untrimmed.gauge().isBounded).toBe(false);
});

test('the report counts every check, and fails for a row, a gauge or a problem', () => {
  expect(reportOf(GOOD)).toMatchObject({ passed: 3, failed: 0 });
  const [table] = GOOD.tables;
  const lost = table === undefined ? [] : [{ ...table, lost: 1 }];
  expect(reportOf({ ...GOOD, tables: lost })).toMatchObject({ passed: 2, failed: 1 });
  expect(reportOf({ ...GOOD, problems: ['a copy went on'] })).toMatchObject({ passed: 2, failed: 1 });
  expect(reportOf({ ...GOOD, positions: { found: 9, most: 8 } })).toMatchObject({ passed: 2, failed: 1 });
  expect(reportOf({ ...GOOD, problems: ['a copy went on'] }).text).toContain('a copy went on');
});

test('a few seconds of it: faults strike, and every check passes', () => {
  const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, '--minutes', '0.2'], {
    encoding: 'utf8',
    timeout: 110_000,
  });
  expect({
    status,
    end: stdout.trimEnd().split('\n').at(-1),
    output: status === 0 ? '' : stdout + stderr,
  }).toEqual({
    status: 0,
    end: '8 passed, 0 failed',
    output: '',
  });
  expect(Number(/faults \((\d+)\)/.exec(stdout)?.[1])).toBeGreaterThan(0);
});
