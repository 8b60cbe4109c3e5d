/** The report for people. What a run was too short to tell counts as neither passed nor failed. */
import { sum, type SoakResult } from './soak.js';

export interface Report {
  readonly text: string;
  readonly passed: number;
  readonly failed: number;
}

export function reportOf({ faults, totals, tables, gauges, positions, problems }: SoakResult): Report {
  const checks = [
    ...tables.map(({ name, changes, rows, lost, duplicated, wrong }) => ({
      ok: lost + duplicated + wrong === 0 && changes > 0n,
      line: `${name}: ${changes} changes, ${rows} rows, ${lost} lost, ${duplicated} duplicated, ${wrong} wrong`,
    })),
    ...gauges.map(({ name, unit, early, late, most, isBounded, isTooShort }) => ({
      ok: isTooShort ? undefined : isBounded,
      line: `${name}: ${early.toFixed(1)} ${unit} early, ${late.toFixed(1)} late, ${most.toFixed(1)} at most`,
    })),
    {
      ok: positions.found > 0 && positions.found <= positions.most,
      line: `positions kept: ${positions.found}, of at most ${positions.most}`,
    },
    {
      ok: problems.length === 0,
      line: `every writer lived, ended and was fenced as it should${problems.map((problem) => `\n  ${problem}`).join('')}`,
    },
  ];
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
