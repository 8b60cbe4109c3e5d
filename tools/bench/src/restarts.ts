/** From the SIGKILL of a writer to the first commit of the next one, which is started at once. */
import { setTimeout as delay } from 'node:timers/promises';
import { measurement, type Measurement } from './measurement.js';
import { extent, median } from './statistics.js';
import type { WriterProcess } from './writer-process.js';

const COMMITS_BEFORE = 5;

export interface Restart {
  /** Milliseconds from the signal. */
  readonly sinceKill: number;
  /** Milliseconds from the start of the new process. */
  readonly sinceSpawn: number;
  /** Milliseconds from when its program was loaded. */
  readonly sinceLoaded: number;
}

/**
 * @param start a process that writes for as long as it is let
 * @param killAfterMs how long after a commit: chosen by chance, it comes at any point of a transaction
 */
export async function killAndRestart(start: () => WriterProcess, killAfterMs: number): Promise<Restart> {
  const first = start();
  for (let commit = 0; commit < COMMITS_BEFORE; commit++) await first.next('commit');
  await delay(killAfterMs);
  const killed = performance.now();
  const gone = first.kill();
  const spawned = performance.now();
  const second = start();
  await second.next('loaded');
  const loaded = performance.now();
  await second.next('commit');
  const end = performance.now();
  await Promise.all([gone, second.kill()]);
  return { sinceKill: end - killed, sinceSpawn: end - spawned, sinceLoaded: end - loaded };
}

export function restartMeasurement(name: string, restarts: readonly Restart[]): Measurement {
  const sinceKill = restarts.map((restart) => restart.sinceKill);
  return measurement({
    name,
    ours: median(sinceKill),
    unit: 'ms',
    runs: restarts.length,
    details: {
      'least and most': extent(sinceKill),
      'since loaded': median(restarts.map(({ sinceLoaded }) => sinceLoaded)),
    },
  });
}
