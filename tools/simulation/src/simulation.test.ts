import { describe, expect, test } from '@jest/globals';
import { Laboratory } from './laboratory.testing.js';
import { scheduleSeed } from './random.js';
import { runSchedules } from './runs.js';
import { runSchedule } from './schedule.js';
import { testSeed } from './seed.testing.js';
import { HAPPENINGS } from './world.js';

const SCHEDULES = 10_000;
const seed = testSeed();

describe(`the core, simulated (EOS_TEST_SEED=${seed})`, () => {
  test(`holds every invariant in ${SCHEDULES} schedules`, async () => {
    // In a process of its own: half of the time would go into the test runner's sandbox.
    const laboratory = await Laboratory.open();
    try {
      const { passed, output } = await laboratory.run(SCHEDULES, seed);
      if (passed < SCHEDULES) throw new Error(output);
    } finally {
      await laboratory.close();
    }
  }, 300_000);

  test('brings about everything that it is for', async () => {
    const { happened, failed } = await runSchedules({ seed, schedules: 600 });
    expect(HAPPENINGS.filter((happening) => !happened.has(happening))).toEqual([]);
    expect(failed).toBe(0);
  }, 300_000);

  test('repeats a schedule by its seed, event by event', async () => {
    for (let index = 0; index < 20; index++) {
      const [first, second] = [
        await runSchedule(scheduleSeed(seed, index), true),
        await runSchedule(scheduleSeed(seed, index), true),
      ];
      expect(second).toEqual(first);
      expect(first.trace.length).toBeGreaterThan(0);
    }
  });

  test('the first schedule of a run has the seed of the run', () => {
    expect(scheduleSeed(seed, 0)).toBe(seed);
    expect(new Set([0, 1, 2, 3].map((index) => scheduleSeed(seed, index))).size).toBe(4);
  });
});
