/** Writers in processes of their own: how soon one goes on where another was killed, and how much memory a long run takes. */
import { s3ObjectStore } from '@eos/object-store/s3';
import { openTable } from '@eos/s3';
import type { BenchCase } from '../cases/case.js';
import { measurement, oursAtMost } from '../measurement.js';
import { MEGABYTE, memoryMeasurements } from '../memory.js';
import { killAndRestart, restartMeasurement, type Restart } from '../restarts.js';
import { randomNumbers } from '../rows.js';
import { startChild } from '../writer-process.js';
import type { S3Laboratory } from './laboratory.js';
import type { S3Task } from './writer.js';

const KILL = 's3/kill-to-first-commit';
const MEMORY = 's3/memory';
const LARGE_FILE = `${MEMORY}/parquet-file-of-2-GB`;
const LARGE_FILE_BYTES = 2_000_000_000;
const QUICK_FILE_BYTES = 20_000_000;
const NOTE_BYTES = 1_000;
const KILL_WITHIN_MS = 50;

function taskOf({ server, near, freshPrefix }: S3Laboratory, rows: number, rowsPerCommit: number): S3Task {
  return { bucket: server.bucket, client: near, prefix: freshPrefix(), rows, rowsPerCommit };
}

function startWriter(task: S3Task) {
  return startChild('s3/writer.js', task);
}

export function killCase(): BenchCase<S3Laboratory> {
  return {
    names: [KILL],
    async measure(laboratory) {
      const random = randomNumbers(8);
      const runs = laboratory.options.quick ? 1 : Math.max(laboratory.options.runs, 10);
      const taken: Restart[] = [];
      for (let run = 0; run < runs; run++) {
        const task = taskOf(laboratory, 1_000_000_000, 1_000);
        taken.push(await killAndRestart(() => startWriter(task), random() * KILL_WITHIN_MS));
      }
      return [restartMeasurement(KILL, taken)];
    },
  };
}

export function memoryCase(): BenchCase<S3Laboratory> {
  return {
    names: [`${MEMORY}/peak`, `${MEMORY}/growth`],
    async measure(laboratory) {
      const rows = laboratory.options.memoryRows;
      // Files of about 13 MB, so that each is an upload in parts.
      const done = await startWriter(taskOf(laboratory, rows, 100_000)).next('done');
      return memoryMeasurements(MEMORY, done, { rows, peakLimitMegabytes: 400 });
    },
  };
}

/** One file of one transaction. */
export function largeFileCase(): BenchCase<S3Laboratory> {
  return {
    names: [LARGE_FILE],
    async measure(laboratory) {
      const { options, server, near } = laboratory;
      const wanted = options.quick ? QUICK_FILE_BYTES : LARGE_FILE_BYTES;
      const rows = Math.ceil(wanted / NOTE_BYTES);
      const task: S3Task = {
        ...taskOf(laboratory, rows, rows),
        noteBytes: NOTE_BYTES,
        sink: { format: 'parquet', roll: { bytes: 4 * wanted } },
      };
      const start = performance.now();
      const { peakBytes } = await startWriter(task).next('done');
      const seconds = (performance.now() - start) / 1000;
      const store = s3ObjectStore({ bucket: server.bucket, client: near });
      const files: number[] = [];
      const table = await openTable(store, task.prefix);
      for await (const { bytes } of table.files()) files.push(bytes);
      // To its end, where offsets in the file are beyond 31 bits.
      let next = 1n;
      for await (const batch of table.rows()) for (const { id } of batch) if (id === next) next += 1n;
      await store.close();
      if (next !== BigInt(rows) + 1n) throw new Error(`${next - 1n} of ${rows} rows were read back`);
      const [bytes = 0] = files;
      if (files.length !== 1 || bytes < wanted) throw new Error(`files of ${files.join()} bytes were made`);
      return [
        measurement({
          name: LARGE_FILE,
          ours: peakBytes / MEGABYTE,
          unit: 'MB',
          runs: 1,
          target: oursAtMost(400),
          details: { 'file, MB': bytes / MEGABYTE, rows, 'MB/s': bytes / MEGABYTE / seconds },
        }),
      ];
    },
  };
}
