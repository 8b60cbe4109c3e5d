/** The report for people. What a run was too short to tell counts as neither passed nor failed. */
import type { TableCheck } from './found.js';
import type { Gauge } from './gauges.js';
import type { SoakResult } from './soak.js';
import { sum } from './strike.js';

export interface Report {
  readonly text: string;
  readonly passed: number;
  readonly failed: number;
}

/** A line of the report; `ok` is undefined where the run was too short to tell. */
export interface Check {
  readonly ok: boolean | undefined;
  readonly line: string;
}

export function reportOf(result: SoakResult): Report {
  const { tables, gauges, positions, problems } = result;
  return checksReport(result, [
    ...tables.map(tableCheck),
    ...gauges.map(gaugeCheck),
    {
      ok: positions.found > 0 && positions.found <= positions.most,
      line: `positions kept: ${positions.found}, of at most ${positions.most}`,
    },
    problemsCheck(problems),
  ]);
}

export function tableCheck({ name, changes, rows, lost, duplicated, wrong }: TableCheck): Check {
  return {
    ok: lost + duplicated + wrong === 0 && changes > 0n,
    line: `${name}: ${changes} changes, ${rows} rows, ${lost} lost, ${duplicated} duplicated, ${wrong} wrong`,
  };
}

export function gaugeCheck({ name, unit, early, late, most, isBounded, isTooShort }: Gauge): Check {
  return {
    ok: isTooShort ? undefined : isBounded,
    line: `${name}: ${early.toFixed(1)} ${unit} early, ${late.toFixed(1)} late, ${most.toFixed(1)} at most`,
  };
}

export function problemsCheck(problems: readonly string[]): Check {
  return {
    ok: problems.length === 0,
    line: `every writer lived, ended and was fenced as it should${problems.map((problem) => `\n  ${problem}`).join('')}`,
  };
}

export function checksReport(
  { faults, totals }: Pick<SoakResult, 'faults' | 'totals'>,
  checks: readonly Check[],
): Report {
  const counts = [...faults].sort(([, left], [, right]) => right - left);
  const lines = [
    `${totals.commits} commits, ${totals.settled} lost answers settled, ${totals.retries} failures tried again, ${totals.fenced} copies fenced`,
    '',
    `faults (${sum(faults)})`,
    ...counts.map(([name, count]) => `${String(count).padStart(6)}  ${name}`),
    '',
    ...checks.map(({ ok, line }) => `${ok === undefined ? 'short  ' : ok ? 'ok     ' : 'FAILED '}${line}`),
  ];
  const count = (wanted: boolean) => checks.filter(({ ok }) => ok === wanted).length;
  return { text: lines.join('\n'), passed: count(true), failed: count(false) };
}
