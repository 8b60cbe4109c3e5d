/**
 * Upserts. Against two baselines: raw COPY, which is what the server could take at most and cannot upsert, and the statement that
 * people write today.
 *
 * Raw COPY has two readings. Into a table *without* the primary key it is what an append costs: the bound that the targets are set
 * against, `vs-copy`. Into the *same* table, with its primary key, it is the least that keeping the index costs anyone who writes
 * new keys, `vs-copy-with-key`; there is no such run for keys that exist, as COPY would fail.
 */
import { copyInTurn } from '../baselines/copy.js';
import { upsertValues } from '../baselines/values.js';
import { existingKeys, tenPercentDeletes, type Changelog } from '../changes.js';
import type { Laboratory } from '../laboratory.js';
import { ratioAtLeast } from '../measurement.js';
import { runPipeline } from '../ours.js';
import type { BenchRow } from '../rows.js';
import { throughput, type Comparison, type Writer } from '../throughput.js';
import type { BenchCase } from './case.js';

/** Every key is new. */
export function upsertNewCase(
  rowsPerCommit: number,
  targets: { readonly copy: number; readonly values?: number },
): BenchCase {
  const name = `postgres/upsert-new/commit=${rowsPerCommit}`;
  const comparisons: Comparison[] = [
    { name: `${name}/vs-copy`, ours: 'pipeline', baseline: 'copy', target: ratioAtLeast(targets.copy) },
    { name: `${name}/vs-copy-with-key`, ours: 'pipeline', baseline: 'copy with key' },
    {
      name: `${name}/vs-values`,
      ours: 'pipeline',
      baseline: 'values',
      ...(targets.values === undefined ? {} : { target: ratioAtLeast(targets.values) }),
    },
    { name: `${name}/vs-values-prepared`, ours: 'pipeline', baseline: 'prepared values' },
  ];
  return {
    names: comparisons.map((line) => line.name),
    measure(laboratory) {
      const rows = laboratory.rows();
      const changelog = { before: [], rows, after: rows.length };
      return throughput(laboratory, {
        changes: rows.length,
        comparisons,
        writers: [
          ...upsertWriters(laboratory, changelog, rowsPerCommit),
          copyWriter(laboratory, rows, rowsPerCommit, false),
          copyWriter(laboratory, rows, rowsPerCommit, true),
        ],
      });
    },
  };
}

/** Every key is there already. */
export function upsertExistingCase(rowsPerCommit: number): BenchCase {
  return changelogCase(`postgres/upsert-existing/commit=${rowsPerCommit}`, rowsPerCommit, existingKeys);
}

/** One change in ten is a delete, the others are half updates, half inserts. */
export function mixedCase(rowsPerCommit: number): BenchCase {
  return changelogCase(
    `postgres/mixed-10pct-delete/commit=${rowsPerCommit}`,
    rowsPerCommit,
    tenPercentDeletes,
  );
}

function changelogCase(
  name: string,
  rowsPerCommit: number,
  makeChangelog: (before: readonly BenchRow[]) => Changelog,
): BenchCase {
  const comparisons: Comparison[] = [
    { name: `${name}/vs-copy`, ours: 'pipeline', baseline: 'copy' },
    { name: `${name}/vs-values`, ours: 'pipeline', baseline: 'values' },
  ];
  return {
    names: comparisons.map((line) => line.name),
    measure(laboratory) {
      const changelog = makeChangelog(laboratory.rows());
      return throughput(laboratory, {
        changes: changelog.rows.length,
        comparisons,
        writers: [
          ...upsertWriters(laboratory, changelog, rowsPerCommit),
          copyWriter(laboratory, changelog.rows, rowsPerCommit, false),
        ],
      });
    },
  };
}

function upsertWriters({ url }: Laboratory, changelog: Changelog, rowsPerCommit: number): Writer[] {
  const { before, after, rows, ops } = changelog;
  const changes = { rows, rowsPerCommit, ...(ops === undefined ? {} : { ops }) };
  const common = { primaryKey: true, before, after };
  return [
    {
      name: 'pipeline',
      ...common,
      write: (place) => runPipeline({ url, ...place, ...changes, mode: 'upsert' }),
    },
    { name: 'values', ...common, write: ({ table }) => upsertValues({ url, table, ...changes }) },
    {
      name: 'prepared values',
      ...common,
      write: ({ table }) => upsertValues({ url, table, ...changes, prepared: true }),
    },
  ];
}

/** Appends the rows to an empty table, whatever their ops. */
function copyWriter(
  { url }: Laboratory,
  rows: readonly BenchRow[],
  rowsPerCommit: number,
  primaryKey: boolean,
): Writer {
  return {
    name: primaryKey ? 'copy with key' : 'copy',
    primaryKey,
    after: rows.length,
    write: ({ table }) => copyInTurn({ url, table, rows, rowsPerCommit }),
  };
}
