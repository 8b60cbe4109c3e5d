/** Rows a second of several writers, interleaved; what each wrote is counted before its time is believed. */
import { escapeIdentifier } from 'pg';
import { interleave, type Side } from './interleave.js';
import type { Laboratory, Timing } from './laboratory.js';
import { measurement, type Measurement, type Target } from './measurement.js';
import { extent, median } from './statistics.js';
import type { BenchRow } from './rows.js';

/** What a run wrote to: a table that was made for it. */
export interface Place {
  readonly table: string;
  readonly pipeline: string;
}

/** One way of writing the same rows. */
export interface Writer {
  readonly name: string;
  /** Whether its table has the primary key. */
  readonly primaryKey: boolean;
  /** Whether it has the hash of each row, with an index. Default: no. */
  readonly rowHash?: boolean;
  /** Whether its table rejects a negative quantity. */
  readonly check?: boolean;
  /** What its table holds before the clock starts. */
  readonly before?: readonly BenchRow[];
  write(place: Place): Promise<void>;
  /** How many rows the table must hold in the end. */
  readonly after: number;
}

/** A line of the report: ours against one of the other writers. */
export interface Comparison {
  readonly name: string;
  readonly ours: string;
  readonly baseline: string;
  readonly target?: Target;
}

export interface ThroughputOptions {
  readonly writers: readonly Writer[];
  readonly comparisons: readonly Comparison[];
  /** Changes that each run writes. */
  readonly changes: number;
}

/** Measures each writer that a wanted comparison needs. */
export async function throughput(
  laboratory: Laboratory,
  { writers, comparisons, changes }: ThroughputOptions,
): Promise<Measurement[]> {
  const wanted = comparisons.filter(({ name }) => laboratory.wants(name));
  const needed = writers.filter(({ name }) =>
    wanted.some((line) => line.ours === name || line.baseline === name),
  );
  const results = await interleave(
    needed.map((writer) => side(laboratory, writer)),
    {
      runs: laboratory.options.runs,
      warmUp: !laboratory.options.quick,
      onRun: (name, run, { seconds }) =>
        laboratory.progress(
          `${wanted[0]?.name ?? ''} run ${run}: ${name} ${Math.round(changes / seconds)} rows/s`,
        ),
    },
  );
  return wanted.map((line) => compare(line, changes, results));
}

function side(laboratory: Laboratory, writer: Writer): Side<Timing> {
  return {
    name: writer.name,
    async run() {
      const table = laboratory.freshName('bench');
      await laboratory.createTable(table, writer);
      if (writer.before !== undefined) await laboratory.fillTable(table, writer.before);
      const timing = await laboratory.timed(() => writer.write({ table, pipeline: table }));
      await checkCount(laboratory, table, writer);
      await laboratory.dropTable(table);
      return timing;
    },
  };
}

async function checkCount({ admin }: Laboratory, table: string, { name, after }: Writer): Promise<void> {
  const { rows } = await admin.query<{ count: string }>(`SELECT count(*) FROM ${escapeIdentifier(table)}`);
  const count = Number(rows[0]?.count);
  if (count !== after) throw new Error(`${name} left ${count} rows instead of ${after}`);
}

/** A line of the report, of runs that each did `changes` of something. */
export function compare(
  { name, ours, baseline, target }: Comparison,
  changes: number,
  results: ReadonlyMap<string, readonly Timing[]>,
  unit = 'rows/s',
): Measurement {
  const [mine, theirs] = [results.get(ours) ?? [], results.get(baseline) ?? []];
  const rate = ({ seconds }: Timing) => changes / seconds;
  const paired = mine.map((timing, run) => rate(timing) / rate(theirs[run] ?? timing));
  const work = ({ processor }: Timing) => processor.client + (processor.server ?? 0);
  return measurement({
    name,
    ours: median(mine.map(rate)),
    baseline: median(theirs.map(rate)),
    unit,
    runs: mine.length,
    ...(target === undefined ? {} : { target }),
    details: {
      'ours, least and most': extent(mine.map(rate)),
      'baseline, least and most': extent(theirs.map(rate)),
      'ratio by pairs, median': median(paired),
      'ratio by CPU time': median(theirs.map(work)) / median(mine.map(work)),
      ...processorDetails('ours', mine),
      ...processorDetails('baseline', theirs),
    },
  });
}

/** Processor seconds of a run: they say what a way of writing costs even where something else kept the clock busy. */
function processorDetails(name: string, timings: readonly Timing[]): Record<string, number> {
  const server = timings.flatMap(({ processor }) =>
    processor.server === undefined ? [] : [processor.server],
  );
  return {
    [`${name}, client CPU s`]: median(timings.map(({ processor }) => processor.client)),
    ...(server.length === 0 ? {} : { [`${name}, server CPU s`]: median(server) }),
  };
}
