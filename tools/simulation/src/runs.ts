/** Many schedules, one after the other. */
import { setImmediate } from 'node:timers/promises';
import { scheduleSeed } from './random.js';
import type { Happening } from './world.js';
import { runSchedule, type ScheduleResult } from './schedule.js';

export interface RunsOptions {
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
  /** In how many schedules it happened. */
  readonly happened: ReadonlyMap<Happening, number>;
}

/** Between two looks at the world outside. */
const SCHEDULES_AT_A_TIME = 100;

/** Runs schedules until all are done or one fails. */
export async function runSchedules(options: RunsOptions): Promise<RunsResult> {
  const { stackTraceLimit } = Error;
  // Errors are what schedules are made of, and most of the price of one is its stack.
  Error.stackTraceLimit = 0;
  try {
    return await runEach(options, stackTraceLimit);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

async function runEach(options: RunsOptions, stackTraceLimit: number): Promise<RunsResult> {
  const { seed, schedules, onProgress, onFailure } = options;
  let [passed, failed, events] = [0, 0, 0];
  const happened = new Map<Happening, number>();
  for (let index = 0; index < schedules; index++) {
    const result = await runSchedule(scheduleSeed(seed, index));
    events += result.events;
    for (const happening of result.happened) happened.set(happening, (happened.get(happening) ?? 0) + 1);
    if (result.violation === undefined) passed++;
    else {
      failed++;
      // The same again, with its trace: a schedule repeats by its seed.
      Error.stackTraceLimit = stackTraceLimit;
      const failure = await runSchedule(result.seed, true);
      Error.stackTraceLimit = 0;
      if (onFailure?.(failure) !== true) break;
    }
    if (index % SCHEDULES_AT_A_TIME !== 0) continue;
    onProgress?.(index);
    await setImmediate();
  }
  return { passed, failed, events, happened };
}
