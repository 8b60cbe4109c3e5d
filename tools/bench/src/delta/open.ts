/**
 * Opening a table that has had many commits: where it stands, in a process that knows nothing of it yet. The log is written by hand,
 * commit by commit as the sink would; the last hundred commits and the checkpoint are the sink's own.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BenchCase } from '../cases/case.js';
import { measurement, type Measurement } from '../measurement.js';
import { makeRows } from '../rows.js';
import { median } from '../statistics.js';
import { openWithDeltaRs } from './delta-rs.js';
import type { DeltaLaboratory } from './laboratory.js';
import { commitDeltaAlone, deltaBenchSink, PIPELINE, SINK } from './ours.js';

const COMMITS = [10, 1_000, 100_000];
const RUNS = 20;
/** Of a table that the sink makes. */
const CHECKPOINT_INTERVAL = 100;

export function deltaOpenCase(): BenchCase<DeltaLaboratory> {
  return {
    names: COMMITS.map(nameOf),
    async measure(laboratory) {
      const lines: Measurement[] = [];
      for (const commits of COMMITS.filter((count) => laboratory.wants(nameOf(count)))) {
        const count = laboratory.options.quick ? Math.min(commits, 500) : commits;
        lines.push(await laboratory.inFolder((folder) => openTable(laboratory, folder, commits, count)));
      }
      return lines;
    },
  };
}

function nameOf(commits: number): string {
  return `delta/open/commits=${commits}`;
}

async function openTable(
  laboratory: DeltaLaboratory,
  folder: string,
  commits: number,
  count: number,
): Promise<Measurement> {
  await makeTable(folder, count);
  const status = deltaBenchSink(folder).abilities?.status;
  if (status === undefined) throw new Error('the sink tells no status');
  const runs = laboratory.options.quick ? 2 : RUNS;
  const taken: number[] = [];
  for (let run = 0; run <= runs; run++) {
    const start = performance.now();
    const found = await status({ pipeline: PIPELINE, sink: SINK });
    taken.push(performance.now() - start);
    if (found.size !== 1) throw new Error(`the table has ${found.size} positions`);
  }
  const { python } = laboratory;
  const theirs = python === undefined ? [] : await openWithDeltaRs(python, folder, runs);
  return measurement({
    name: nameOf(commits),
    ours: median(taken.slice(1)),
    ...(theirs.length === 0 ? {} : { baseline: median(theirs) }),
    unit: 'ms',
    runs,
    details: { commits: count, 'the first time, ms': taken[0] ?? 0 },
  });
}

async function makeTable(folder: string, commits: number): Promise<void> {
  const own = Math.min(commits, CHECKPOINT_INTERVAL);
  const rows = makeRows(own);
  // Versions 0 and 1: the claim, and a commit.
  await commitDeltaAlone(folder, rows.slice(0, 1), 1);
  for (let version = 2; version < commits - own; version += 1_000) {
    const end = Math.min(version + 1_000, commits - own);
    await Promise.all(
      Array.from({ length: end - version }, (_, index) => writeCommit(folder, version + index)),
    );
  }
  await commitDeltaAlone(folder, rows, 1);
}

async function writeCommit(folder: string, version: number): Promise<void> {
  const path = `part-${String(version).padStart(8, '0')}-made-by-hand.snappy.parquet`;
  const stats = JSON.stringify({
    numRecords: 1,
    minValues: { id: version, name: 'karomiten', amount: 1.5, quantity: 7 },
    maxValues: { id: version, name: 'karomiten', amount: 1.5, quantity: 7 },
    nullCount: { id: 0, name: 0, amount: 0, quantity: 0, happened_at: 0, note: 0 },
  });
  const add = {
    path,
    partitionValues: {},
    size: 1_500,
    modificationTime: 1_700_000_000_000,
    dataChange: true,
  };
  const lines = [
    {
      commitInfo: {
        txnId: String(version),
        timestamp: 1_700_000_000_000,
        operation: 'WRITE',
        isBlindAppend: true,
      },
    },
    { txn: { appId: 'another', version, lastUpdated: 1_700_000_000_000 } },
    { add: { ...add, stats } },
  ];
  const log = join(folder, '_delta_log');
  await mkdir(log, { recursive: true });
  const text = lines.map((line) => JSON.stringify(line)).join('\n');
  await writeFile(join(log, `${String(version).padStart(20, '0')}.json`), `${text}\n`);
}
