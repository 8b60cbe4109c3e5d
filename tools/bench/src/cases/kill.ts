/**
 * From the SIGKILL of a writer to the first commit of the next one, which is started at once: the new process has to load, connect,
 * claim, wait for what the old one left, read the position and seek. The baseline is raw COPY, killed and started the same way: it
 * has nothing to settle, and does not know where it was.
 */
import type { ChildTask } from '../children/protocol.js';
import { interleave } from '../interleave.js';
import type { Laboratory } from '../laboratory.js';
import { measurement } from '../measurement.js';
import { killAndRestart, type Restart } from '../restarts.js';
import { randomNumbers } from '../rows.js';
import { extent, median } from '../statistics.js';
import { startWriter } from '../writer-process.js';
import type { BenchCase } from './case.js';

const NAME = 'postgres/append/kill-to-first-commit';
const ROWS_PER_COMMIT = 1_000;
/** The kill comes within so many milliseconds after a commit: at any point of a transaction. */
const KILL_WITHIN_MS = 20;

export function killCase(): BenchCase {
  return {
    names: [NAME],
    async measure(laboratory) {
      const random = randomNumbers(8);
      const runs = laboratory.options.quick ? 1 : Math.max(laboratory.options.runs, 10);
      const side = (writer: ChildTask['writer']) => ({
        name: writer,
        run: () => killWriter(laboratory, writer, random),
      });
      const results = await interleave([side('pipeline'), side('copy')], {
        runs,
        warmUp: !laboratory.options.quick,
      });
      const of = (writer: ChildTask['writer'], part: keyof Restart) =>
        (results.get(writer) ?? []).map((restart) => restart[part]);
      return [
        measurement({
          name: NAME,
          ours: median(of('pipeline', 'sinceKill')),
          baseline: median(of('copy', 'sinceKill')),
          unit: 'ms',
          runs,
          details: {
            'ours, least and most': extent(of('pipeline', 'sinceKill')),
            'ours, since spawn': median(of('pipeline', 'sinceSpawn')),
            'ours, since loaded': median(of('pipeline', 'sinceLoaded')),
            'baseline, since loaded': median(of('copy', 'sinceLoaded')),
          },
        }),
      ];
    },
  };
}

async function killWriter(
  laboratory: Laboratory,
  writer: ChildTask['writer'],
  random: () => number,
): Promise<Restart> {
  const table = laboratory.freshName('bench');
  await laboratory.createTable(table);
  await laboratory.settle();
  const task: ChildTask = {
    writer,
    mode: 'append',
    url: laboratory.url,
    table,
    pipeline: table,
    // More than are written until the end comes; raw COPY needs them as a list.
    rows: writer === 'copy' ? 1000 * ROWS_PER_COMMIT : 1_000_000_000,
    rowsPerCommit: ROWS_PER_COMMIT,
    sampleMemory: false,
  };
  const restart = await killAndRestart(() => startWriter(task), random() * KILL_WITHIN_MS);
  await laboratory.dropTable(table);
  return restart;
}
