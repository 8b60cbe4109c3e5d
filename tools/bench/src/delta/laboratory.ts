/** What the cases of Delta share: a folder on the disk, the rows, and Python with delta-rs where there is Python. */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { missingForPython, startPython, type Python } from '@eos/services';
import { isWanted, type BenchOptions } from '../options.js';
import { makeRows, type BenchRow } from '../rows.js';

export interface DeltaLaboratory {
  readonly options: BenchOptions;
  readonly description: string;
  readonly wants: (name: string) => boolean;
  /** With delta-rs; undefined on a machine without Python. */
  readonly python: Python | undefined;
  /** The rows of the throughput cases: made once, the same for every side; each five times, far apart, so that no text comes twice in a file. */
  readonly rows: () => readonly BenchRow[];
  /** Runs `work` with a folder of its own, which is deleted afterwards. */
  readonly inFolder: <Result>(work: (folder: string) => Promise<Result>) => Promise<Result>;
  /** Lets the disk come to rest. */
  settle(): Promise<void>;
  readonly progress: (text: string) => void;
}

const SETTLE_MS = 200;

/** What is appended has so many times the rows of a throughput case: 5,000,000. */
const APPEND_TIMES = 5;

export async function withDeltaLaboratory<Result>(
  options: BenchOptions,
  progress: (text: string) => void,
  work: (laboratory: DeltaLaboratory) => Promise<Result>,
): Promise<Result> {
  const missing = missingForPython();
  if (missing !== undefined) progress(`without delta-rs: ${missing}`);
  const python = missing === undefined ? await startPython(['deltalake', 'pyarrow']) : undefined;
  const root = await mkdtemp(join(tmpdir(), 'eos-bench-delta-'));
  let rows: readonly BenchRow[] | undefined;
  let folders = 0;
  try {
    return await work({
      options,
      description: `Delta on local files, fsync on; Node ${process.versions.node}; ${availableParallelism()} processors; ${APPEND_TIMES * options.rows} rows appended, medians of ${options.runs} runs`,
      wants: (name) => isWanted(options, name),
      python,
      rows: () => (rows ??= repeated(makeRows(options.rows))),
      async inFolder(run) {
        const folder = join(root, String(++folders));
        try {
          return await run(folder);
        } finally {
          await rm(folder, { recursive: true, force: true });
        }
      },
      settle: async () => {
        await delay(options.quick ? 0 : SETTLE_MS);
      },
      progress,
    });
  } finally {
    await python?.stop();
    await rm(root, { recursive: true, force: true });
  }
}

function repeated(rows: readonly BenchRow[]): readonly BenchRow[] {
  return Array.from({ length: APPEND_TIMES }, () => rows).flat();
}
