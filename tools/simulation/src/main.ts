/** `node dist/main.js [--schedules 10000] [--seed s]`: runs seeded schedules of the core, and shows the one that fails. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { runSchedules } from './runs.js';
import type { ScheduleResult } from './schedule.js';

const USAGE = 'usage: simulation [--schedules 10000] [--seed s]';

process.exitCode = await main();

async function main(): Promise<number> {
  const options = readArguments();
  if (options === undefined) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  const { schedules, seed } = options;
  process.stdout.write(`${schedules} schedules, seed ${seed}\n`);
  const { passed, failed } = await runSchedules({
    ...options,
    onProgress: (done) => progress(`${done} of ${schedules}`),
    onFailure: (failure) => {
      progress('');
      process.stdout.write(report(failure));
      return false;
    },
  });
  progress('');
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

function readArguments(): { schedules: number; seed: number } | undefined {
  try {
    const { values } = parseArgs({
      options: { schedules: { type: 'string', default: '10000' }, seed: { type: 'string' } },
    });
    const schedules = Number(values.schedules);
    const seed = values.seed === undefined ? randomInt(1, 2 ** 31) : Number(values.seed);
    const isValid = Number.isInteger(schedules) && schedules > 0 && Number.isInteger(seed) && seed > 0;
    return isValid && seed < 2 ** 48 ? { schedules, seed } : undefined;
  } catch {
    return undefined;
  }
}

/** One line that is written over, where somebody watches. */
function progress(text: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\u001b[K${text}`);
}

function report({ seed, violation, trace }: ScheduleResult): string {
  const repeat = `repeat it with --schedules 1 --seed ${seed}`;
  return `${trace.join('\n')}\n\nseed ${seed} FAILED: ${violation ?? ''}\n${repeat}\n`;
}
