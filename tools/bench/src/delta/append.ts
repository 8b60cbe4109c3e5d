/** Inserts only: what exactly once costs on top of the encoder, and beside delta-rs on the same work. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BenchCase } from '../cases/case.js';
import { interleave } from '../interleave.js';
import { measurement, ratioAtLeast, type Measurement, type Target } from '../measurement.js';
import { elapsed, processorTime } from '../processor-time.js';
import { extent, median } from '../statistics.js';
import { appendWithDeltaRs } from './delta-rs.js';
import { encodeFiles } from './hyparquet.js';
import type { DeltaLaboratory } from './laboratory.js';
import { runDeltaPipeline } from './ours.js';

interface Run {
  readonly seconds: number;
  /** Of this process; undefined where the work is done elsewhere. */
  readonly processor?: number;
  /** Seconds that went from row objects to columns, where that is a step of its own. */
  readonly converting?: number;
}

interface Baseline {
  readonly name: string;
  readonly target?: Target;
  run(laboratory: DeltaLaboratory, folder: string, rowsPerCommit: number): Promise<Run>;
}

const HYPARQUET: Baseline = {
  name: 'vs-hyparquet',
  target: ratioAtLeast(0.9),
  run: (laboratory, folder, rowsPerCommit) =>
    timed(() => encodeFiles(folder, laboratory.rows(), rowsPerCommit)),
};

/** It has both processors, and so have we. */
const DELTA_RS: Baseline = {
  name: 'vs-delta-rs',
  async run({ python, rows }, folder, rowsPerCommit) {
    if (python === undefined) throw new Error('delta-rs needs Python');
    const { taken, converting } = await appendWithDeltaRs(python, folder, rows().length, rowsPerCommit);
    const seconds = taken.reduce((sum, milliseconds) => sum + milliseconds, 0) / 1000;
    return { seconds, converting: converting / 1000 };
  },
};

export function deltaAppendCase(rowsPerCommit: number): BenchCase<DeltaLaboratory> {
  const name = `delta/append/commit=${rowsPerCommit}`;
  return {
    names: [HYPARQUET, DELTA_RS].map((baseline) => `${name}/${baseline.name}`),
    async measure(laboratory) {
      const lines: Measurement[] = [];
      for (const baseline of [HYPARQUET, DELTA_RS]) {
        const line = `${name}/${baseline.name}`;
        if (!laboratory.wants(line)) continue;
        if (baseline === DELTA_RS && laboratory.python === undefined) continue;
        lines.push(await compare(laboratory, line, baseline, rowsPerCommit));
      }
      return lines;
    },
  };
}

async function compare(
  laboratory: DeltaLaboratory,
  name: string,
  baseline: Baseline,
  rowsPerCommit: number,
): Promise<Measurement> {
  const { options } = laboratory;
  const rows = laboratory.rows();
  const results = await interleave<Run>(
    [
      {
        name: 'ours',
        run: () => laboratory.inFolder((folder) => appendOurs(laboratory, folder, rowsPerCommit)),
      },
      {
        name: 'baseline',
        run: () => laboratory.inFolder((folder) => baseline.run(laboratory, folder, rowsPerCommit)),
      },
    ],
    {
      runs: options.runs,
      warmUp: !options.quick,
      onRun: (side, run, { seconds }) =>
        laboratory.progress(`${name} run ${run}: ${side} ${Math.round(rows.length / seconds)} rows/s`),
    },
  );
  const of = (side: string) => results.get(side) ?? [];
  const rates = (side: string) => of(side).map(({ seconds }) => rows.length / seconds);
  const [mine, theirs] = [rates('ours'), rates('baseline')];
  return measurement({
    name,
    ours: median(mine),
    baseline: median(theirs),
    unit: 'rows/s',
    runs: mine.length,
    ...(baseline.target === undefined ? {} : { target: baseline.target }),
    details: {
      'ours, least and most': extent(mine),
      'baseline, least and most': extent(theirs),
      'ratio by pairs, median': median(mine.map((rate, run) => rate / (theirs[run] ?? rate))),
      ...processorDetails('ours', of('ours')),
      ...processorDetails('baseline', of('baseline')),
      ...convertingDetails(of('baseline')),
    },
  });
}

function convertingDetails(runs: readonly Run[]): Record<string, number> {
  const spent = runs.flatMap(({ converting }) => (converting === undefined ? [] : [converting]));
  return spent.length === 0 ? {} : { 'baseline, s from dicts to Arrow': median(spent) };
}

function processorDetails(side: string, runs: readonly Run[]): Record<string, number> {
  const used = runs.flatMap(({ processor }) => (processor === undefined ? [] : [processor]));
  return used.length === 0 ? {} : { [`${side}, CPU s`]: median(used) };
}

async function appendOurs(laboratory: DeltaLaboratory, folder: string, rowsPerCommit: number): Promise<Run> {
  const rows = laboratory.rows();
  await laboratory.settle();
  const run = await timed(() => runDeltaPipeline(folder, rows, rowsPerCommit));
  const versions = (await readdir(join(folder, '_delta_log'))).filter((file) => /^\d+\.json$/.test(file));
  // The first version is the claim.
  const expected = 1 + Math.ceil(rows.length / rowsPerCommit);
  if (versions.length !== expected)
    throw new Error(`the table has ${versions.length} versions instead of ${expected}`);
  return run;
}

async function timed(work: () => Promise<void>): Promise<Run> {
  const before = await processorTime(undefined);
  const start = performance.now();
  await work();
  const seconds = (performance.now() - start) / 1000;
  return { seconds, processor: elapsed(before, await processorTime(undefined)).client };
}
