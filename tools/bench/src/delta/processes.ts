/** Writers in processes of their own: how soon one goes on where another was killed, and how much memory a long run takes. */
import type { BenchCase } from '../cases/case.js';
import { memoryMeasurements } from '../memory.js';
import { killAndRestart, restartMeasurement, type Restart } from '../restarts.js';
import { randomNumbers } from '../rows.js';
import { startChild } from '../writer-process.js';
import type { DeltaLaboratory } from './laboratory.js';
import type { DeltaTask } from './writer.js';

const KILL = 'delta/append/kill-to-first-commit';
const MEMORY = 'delta/append/memory';
const KILL_WITHIN_MS = 50;

function startWriter(task: DeltaTask) {
  return startChild('delta/writer.js', task);
}

export function deltaKillCase(): BenchCase<DeltaLaboratory> {
  return {
    names: [KILL],
    async measure({ options, inFolder }) {
      const random = randomNumbers(8);
      const runs = options.quick ? 1 : Math.max(options.runs, 10);
      const taken: Restart[] = [];
      for (let run = 0; run < runs; run++) {
        const restarted = await inFolder((folder) => {
          const start = () => startWriter({ folder, rows: 1_000_000_000, rowsPerCommit: 1_000 });
          return killAndRestart(start, random() * KILL_WITHIN_MS);
        });
        taken.push(restarted);
      }
      return [restartMeasurement(KILL, taken)];
    },
  };
}

export function deltaMemoryCase(): BenchCase<DeltaLaboratory> {
  return {
    names: [`${MEMORY}/peak`, `${MEMORY}/growth`],
    async measure({ options, inFolder }) {
      const rows = options.memoryRows;
      const done = await inFolder((folder) =>
        startWriter({ folder, rows, rowsPerCommit: 100_000 }).next('done'),
      );
      return memoryMeasurements(MEMORY, done, { rows, peakLimitMegabytes: 600 });
    },
  };
}
