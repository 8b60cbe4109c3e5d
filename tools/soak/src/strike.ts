/** Faults strike one after the other, as long as asked; between two of them every writer must commit again. */
import { setTimeout as delay } from 'node:timers/promises';
import { pickFault, type Fault, type NetworkStage } from './network-faults.js';
import type { Totals } from './writers.js';

export interface StrikeOptions {
  readonly minutes: number;
  /** Told now and then how far it is. */
  readonly onProgress: (line: string) => void;
}

const PROGRESS_MS = 60_000;

/** Of writers: whether they have all committed again, and what went wrong with them. */
interface Struck {
  settle(): Promise<boolean>;
  readonly totals: Totals;
  readonly problems: string[];
}

/** @returns how often each fault has struck */
export async function strike<Stage extends NetworkStage & { readonly writers: Struck }>(
  stage: Stage,
  faults: readonly Fault<Stage>[],
  { minutes, onProgress }: StrikeOptions,
): Promise<Map<string, number>> {
  const { random, writers } = stage;
  const struck = new Map<string, number>();
  const end = performance.now() + minutes * 60_000;
  let progressAt = performance.now() + PROGRESS_MS;
  await writers.settle();
  while (performance.now() < end) {
    const fault = pickFault(random, faults);
    if (await fault.strike(stage)) struck.set(fault.name, (struck.get(fault.name) ?? 0) + 1);
    if (!(await writers.settle())) writers.problems.push(`no commit came through after: ${fault.name}`);
    await delay(random.integer(0, 500));
    if (performance.now() < progressAt) continue;
    progressAt += PROGRESS_MS;
    const left = Math.ceil((end - performance.now()) / 60_000);
    onProgress(`${writers.totals.commits} commits, ${sum(struck)} faults, ${left} minutes left`);
  }
  return struck;
}

export function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}
