/**
 * Retract: a table without a key. Inserts only, and half of the changes taking back rows that are there. Rows are found by a hash that
 * the server keeps, with an index: what that costs shows between the two baselines of the inserts.
 */
import { copyInTurn } from '../baselines/copy.js';
import { deleteByPlace } from '../baselines/delete-by-place.js';
import { halfRetractions } from '../changes.js';
import { runPipeline } from '../ours.js';
import { throughput } from '../throughput.js';
import type { BenchCase } from './case.js';

/** Inserts only. */
export function retractInsertsCase(rowsPerCommit: number): BenchCase {
  const name = `postgres/retract/commit=${rowsPerCommit}/inserts`;
  const comparisons = [
    { name: `${name}/vs-copy`, ours: 'pipeline', baseline: 'copy' },
    { name: `${name}/vs-copy-with-hash`, ours: 'pipeline', baseline: 'copy with hash' },
  ];
  return {
    names: comparisons.map((line) => line.name),
    measure(laboratory) {
      const { url } = laboratory;
      const rows = laboratory.rows();
      const common = { primaryKey: false, rowHash: true, after: rows.length };
      const copy = ({ table }: { readonly table: string }) => copyInTurn({ url, table, rows, rowsPerCommit });
      return throughput(laboratory, {
        changes: rows.length,
        comparisons,
        writers: [
          {
            name: 'pipeline',
            ...common,
            write: (place) => runPipeline({ url, ...place, rows, mode: 'retract', rowsPerCommit }),
          },
          { name: 'copy', ...common, rowHash: false, write: copy },
          { name: 'copy with hash', ...common, write: copy },
        ],
      });
    },
  };
}

/** Half inserts of new rows, half deletes of rows that are there, mixed at random. */
export function halfRetractionsCase(rowsPerCommit: number): BenchCase {
  const name = `postgres/retract/commit=${rowsPerCommit}/half-retractions/vs-by-hand`;
  return {
    names: [name],
    measure(laboratory) {
      const { url } = laboratory;
      const { before, rows, ops, after } = halfRetractions(laboratory.rows());
      const common = { primaryKey: false, rowHash: true, before, after };
      return throughput(laboratory, {
        changes: rows.length,
        comparisons: [{ name, ours: 'pipeline', baseline: 'by hand' }],
        writers: [
          {
            name: 'pipeline',
            ...common,
            write: (place) => runPipeline({ url, ...place, rows, ops, mode: 'retract', rowsPerCommit }),
          },
          {
            name: 'by hand',
            ...common,
            write: ({ table }) => deleteByPlace({ url, table, rows, ops, rowsPerCommit }),
          },
        ],
      });
    },
  };
}
