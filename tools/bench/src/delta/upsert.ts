/** One row in a hundred of a table, changed: ours by copy-on-write and by deletion vectors, beside delta-rs's `merge` on the same table. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { DeltaTable } from '@eos/delta';
import type { BenchCase } from '../cases/case.js';
import { interleave, type Side } from '../interleave.js';
import { measurement, ratioAtMost, type Measurement } from '../measurement.js';
import { extent, median } from '../statistics.js';
import { CHOICES, changedRows, type Choice } from './changed-rows.js';
import { mergeWithDeltaRs } from './delta-rs.js';
import type { DeltaLaboratory } from './laboratory.js';
import { fillDeltaTable, upsertAlone } from './ours.js';

const MEANS = ['copy-on-write', 'deletion-vectors'] as const;
type Means = (typeof MEANS)[number];

const PROPERTIES: Readonly<Record<Means, Readonly<Record<string, string>>>> = {
  'copy-on-write': {},
  'deletion-vectors': { 'delta.enableDeletionVectors': 'true' },
};

/** So many rows of a file of the table. */
const ROWS_PER_FILE = 100_000;
/** A run takes seconds, and its table has to be copied. */
const MOST_RUNS = 5;

export function deltaUpsertCase(rows: number): BenchCase<DeltaLaboratory> {
  const nameOf = (means: Means, choice: Choice) => `delta/upsert-1pct/rows=${rows}/${means}/${choice}`;
  return {
    names: MEANS.flatMap((means) => CHOICES.map((choice) => nameOf(means, choice))),
    async measure(laboratory) {
      const size = laboratory.options.quick ? Math.min(rows, laboratory.options.rows) : rows;
      const lines: Measurement[] = [];
      for (const means of MEANS) {
        const choices = CHOICES.filter((choice) => laboratory.wants(nameOf(means, choice)));
        if (choices.length === 0) continue;
        await laboratory.inFolder(async (folder) => {
          laboratory.progress(`making a table of ${size} rows`);
          await fillDeltaTable(folder, size, ROWS_PER_FILE, PROPERTIES[means]);
          for (const choice of choices)
            lines.push(
              await compare(laboratory, nameOf(means, choice), { table: folder, rows: size, choice }),
            );
        });
      }
      return lines;
    },
  };
}

interface Upsert {
  readonly table: string;
  readonly rows: number;
  readonly choice: Choice;
}

async function compare(
  laboratory: DeltaLaboratory,
  name: string,
  { table, rows, choice }: Upsert,
): Promise<Measurement> {
  const { python, options } = laboratory;
  const changes = changedRows(choice, rows);
  const onCopy = (upsert: (copy: string) => Promise<number>) => () =>
    laboratory.inFolder(async (copy) => {
      await copyTable(table, copy);
      const milliseconds = await upsert(copy);
      await check(copy, rows, changes.length);
      return milliseconds;
    });
  const sides: Side<number>[] = [{ name: 'ours', run: onCopy((copy) => upsertAlone(copy, changes)) }];
  if (python !== undefined)
    sides.push({ name: 'delta-rs', run: onCopy((copy) => mergeWithDeltaRs(python, copy, rows, choice)) });
  const results = await interleave(sides, {
    runs: Math.min(options.runs, MOST_RUNS),
    warmUp: !options.quick,
    onRun: (side, run, milliseconds) =>
      laboratory.progress(`${name} run ${run}: ${side} ${Math.round(milliseconds)} ms`),
  });
  const [ours, theirs] = [results.get('ours') ?? [], results.get('delta-rs') ?? []];
  return measurement({
    name,
    ours: median(ours),
    unit: 'ms',
    runs: ours.length,
    ...(theirs.length === 0 ? {} : { baseline: median(theirs), target: ratioAtMost(1) }),
    details: {
      'ours, least and most': extent(ours),
      ...(theirs.length === 0 ? {} : { 'delta-rs, least and most': extent(theirs) }),
    },
  });
}

const execute = promisify(execFile);

/** Files of a table are never written to again: a link to each is a copy. */
async function copyTable(from: string, to: string): Promise<void> {
  await execute('cp', ['--archive', '--link', from, to]);
}

/** As many rows as before, and those that were to change have. */
async function check(folder: string, rows: number, changes: number): Promise<void> {
  const table = await DeltaTable.open({ folder });
  try {
    let [all, changed] = [0, 0];
    for (const file of await table.files()) all += file.rows ?? NaN;
    for await (const batch of table.rows({ columns: ['id'], where: [{ column: 'note', in: ['changed'] }] }))
      changed += batch.length;
    if (all !== rows || changed !== changes)
      throw new Error(`the table has ${all} of ${rows} rows, and ${changed} of ${changes} are changed`);
  } finally {
    await table.close();
  }
}
