/** Writers in processes of their own: how soon one goes on where another was killed, and how much memory a long run takes. */
import { setTimeout as delay } from 'node:timers/promises';
import { s3ObjectStore } from '@eos/object-store/s3';
import { openTable } from '@eos/s3';
import type { BenchCase } from '../cases/case.js';
import { measurement, oursAtMost } from '../measurement.js';
import { randomNumbers } from '../rows.js';
import { extent, median, slope } from '../statistics.js';
import { startChild } from '../writer-process.js';
import type { S3Laboratory } from './laboratory.js';
import type { S3Task } from './writer.js';

const KILL = 's3/kill-to-first-commit';
const MEMORY = 's3/memory';
const LARGE_FILE = `${MEMORY}/parquet-file-of-2-GB`;
const LARGE_FILE_BYTES = 2_000_000_000;
const QUICK_FILE_BYTES = 20_000_000;
const NOTE_BYTES = 1_000;
const MEGABYTE = 1_000_000;
/** The kill comes within so many milliseconds after a commit: at any point of a transaction. */
const KILL_WITHIN_MS = 50;
const COMMITS_BEFORE = 5;
/** Until then the heap finds its size. */
const WARM_UP_SHARE = 0.2;

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
      for (let run = 0; run < runs; run++)
        taken.push(await killAndRestart(taskOf(laboratory, 1_000_000_000, 1_000), random));
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

async function killAndRestart(task: S3Task, random: () => number): Promise<Restart> {
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

export function memoryCase(): BenchCase<S3Laboratory> {
  return {
    names: [`${MEMORY}/peak`, `${MEMORY}/growth`],
    async measure(laboratory) {
      const { memoryRows } = laboratory.options;
      // Files of about 13 MB, so that each is an upload in parts.
      const { samples, peakBytes } = await startWriter(taskOf(laboratory, memoryRows, 100_000)).next('done');
      const settled = samples.filter(({ rows }) => rows >= memoryRows * WARM_UP_SHARE);
      const details = { rows: memoryRows, samples: settled.length };
      const points = settled.map(({ rows, bytes }) => ({ x: rows / 1e6, y: bytes / MEGABYTE }));
      return [
        measurement({
          name: `${MEMORY}/peak`,
          ours: peakBytes / MEGABYTE,
          unit: 'MB',
          runs: 1,
          target: oursAtMost(400),
          details,
        }),
        measurement({
          name: `${MEMORY}/growth`,
          ours: points.length === 0 ? 0 : slope(points),
          unit: 'MB/1M rows',
          runs: 1,
          details,
        }),
      ];
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
      for await (const { bytes } of (await openTable(store, task.prefix)).files()) files.push(bytes);
      await store.close();
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
