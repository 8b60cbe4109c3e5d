/** Many schedules, one after the other. */
import { setImmediate } from 'node:timers/promises';
import type { Core } from './core.js';
import { scheduleSeed } from './random.js';
import { runSchedule, type ScheduleResult } from './schedule.js';

export interface RunsOptions {
  readonly core: Core;
  /** Seed of the first schedule; the others' are made from it. */
  readonly seed: number;
  readonly schedules: number;
  /** Called now and then with how many schedules are done. */
  readonly onProgress?: (done: number) => void;
  /** Called for each schedule in which an invariant does not hold, with its trace. True: go on. */
  readonly onFailure?: (failure: ScheduleResult) => boolean;
}

export interface RunsResult {
  readonly passed: number;
  readonly failed: number;
  readonly events: number;
}

/** Between two looks at the world outside. */
const SCHEDULES_AT_A_TIME = 100;

/** Runs schedules until all are done or one fails. */
export async function runSchedules(options: RunsOptions): Promise<RunsResult> {
  const { core, seed, schedules, onProgress, onFailure } = options;
  let [passed, failed, events] = [0, 0, 0];
  for (let index = 0; index < schedules; index++) {
    const result = await runSchedule(core, scheduleSeed(seed, index));
    events += result.events;
    if (result.violation === undefined) passed++;
    else {
      failed++;
      // The same again, with its trace: a schedule repeats by its seed.
      const failure = await runSchedule(core, result.seed, true);
      if (onFailure?.(failure) !== true) break;
    }
    if (index % SCHEDULES_AT_A_TIME !== 0) continue;
    onProgress?.(index);
    await setImmediate();
  }
  return { passed, failed, events };
}
