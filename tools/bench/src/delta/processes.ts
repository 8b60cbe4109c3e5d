/** Writers in processes of their own: how soon one goes on where another was killed, and how much memory a long run takes. */
import { setTimeout as delay } from 'node:timers/promises';
import type { BenchCase } from '../cases/case.js';
import type { MemorySample } from '../children/protocol.js';
import { measurement, oursAtMost } from '../measurement.js';
import { randomNumbers } from '../rows.js';
import { extent, median, slope } from '../statistics.js';
import { startChild } from '../writer-process.js';
import type { DeltaLaboratory } from './laboratory.js';
import type { DeltaTask } from './writer.js';

const KILL = 'delta/append/kill-to-first-commit';
const MEMORY = 'delta/append/memory';
const MEGABYTE = 1_000_000;
/** The kill comes within so many milliseconds after a commit: at any point of a transaction. */
const KILL_WITHIN_MS = 50;
const COMMITS_BEFORE = 5;
/** Until then the heap finds its size. */
const WARM_UP_SHARE = 0.2;

function startWriter(task: DeltaTask) {
  return startChild('delta/writer.js', task);
}

export function deltaKillCase(): BenchCase<DeltaLaboratory> {
  return {
    names: [KILL],
    async measure(laboratory) {
      const random = randomNumbers(8);
      const runs = laboratory.options.quick ? 1 : Math.max(laboratory.options.runs, 10);
      const taken: Restart[] = [];
      for (let run = 0; run < runs; run++)
        taken.push(await laboratory.inFolder((folder) => killAndRestart(folder, random)));
      return [
        measurement({
          name: KILL,
          ours: median(taken.map(({ sinceKill }) => sinceKill)),
          unit: 'ms',
          runs,
          details: {
            'least and most': extent(taken.map(({ sinceKill }) => sinceKill)),
            'since loaded': median(taken.map(({ sinceLoaded }) => sinceLoaded)),
          },
        }),
      ];
    },
  };
}

interface Restart {
  readonly sinceKill: number;
  readonly sinceLoaded: number;
}

async function killAndRestart(folder: string, random: () => number): Promise<Restart> {
  const task = { folder, rows: 1_000_000_000, rowsPerCommit: 1_000 };
  const first = startWriter(task);
  for (let commit = 0; commit < COMMITS_BEFORE; commit++) await first.next('commit');
  await delay(random() * KILL_WITHIN_MS);
  const killed = performance.now();
  const gone = first.kill();
  const second = startWriter(task);
  await second.next('loaded');
  const loaded = performance.now();
  await second.next('commit');
  const end = performance.now();
  await Promise.all([gone, second.kill()]);
  return { sinceKill: end - killed, sinceLoaded: end - loaded };
}

export function deltaMemoryCase(): BenchCase<DeltaLaboratory> {
  return {
    names: [`${MEMORY}/peak`, `${MEMORY}/growth`],
    async measure({ options, inFolder }) {
      const { memoryRows } = options;
      const { samples, peakBytes } = await inFolder(async (folder) => {
        const writer = startWriter({ folder, rows: memoryRows, rowsPerCommit: 100_000 });
        return await writer.next('done');
      });
      const settled = samples.filter(({ rows }) => rows >= memoryRows * WARM_UP_SHARE);
      const details = { rows: memoryRows, samples: settled.length };
      return [
        measurement({
          name: `${MEMORY}/peak`,
          ours: peakBytes / MEGABYTE,
          unit: 'MB',
          runs: 1,
          target: oursAtMost(600),
          details,
        }),
        measurement({
          name: `${MEMORY}/growth`,
          ours: growth(settled),
          unit: 'MB/1M rows',
          runs: 1,
          details,
        }),
      ];
    },
  };
}

/** Megabytes for each million rows, by the straight line through the samples. */
function growth(samples: readonly MemorySample[]): number {
  if (samples.length === 0) return 0;
  return slope(samples.map(({ rows, bytes }) => ({ x: rows / 1e6, y: bytes / MEGABYTE })));
}
