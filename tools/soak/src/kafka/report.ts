/** The report for people; its last line is what the proof says. */
import type { ProofResult } from './proof.js';

export function reportOf(result: ProofResult): { readonly text: string; readonly isProven: boolean } {
  const { changes, checks, totals, kills, freezes, rebalances, bounces, problems } = result;
  const lines = [...checks].map(([name, { found, lost, duplicated, disordered }]) => {
    const ok = lost + duplicated + disordered === 0;
    return `${ok ? 'ok     ' : 'FAILED '}${name}: ${found} records, ${lost} lost, ${duplicated} duplicated, ${disordered} keys out of order`;
  });
  const logs = ['copied topic', 'log in Postgres'].flatMap((name) => checks.get(name) ?? []);
  const sum = (count: (check: (typeof logs)[number]) => number) =>
    logs.reduce((total, check) => total + count(check), 0);
  const [lost, duplicated] = [sum((check) => check.lost), sum((check) => check.duplicated)];
  const expected = changes * logs.length;
  const isProven = problems.length === 0 && lines.every((line) => line.startsWith('ok'));
  return {
    isProven,
    text: [
      `${totals.rows} rows in ${totals.commits} commits reported, ${totals.retries} failures tried again, ${totals.fences} times fenced, ${freezes} times frozen`,
      ...problems.map((problem) => `FAILED ${problem}`),
      ...lines,
      `exactly once: ${expected - lost} of ${expected} records, ${lost} lost, ${duplicated} duplicated, ${kills} kills, ${rebalances} rebalances, ${bounces} bounces`,
    ].join('\n'),
  };
}
