import { copyInTurn } from '../baselines/copy.js';
import { ratioAtLeast } from '../measurement.js';
import { driveSink, runPipeline } from '../ours.js';
import { throughput } from '../throughput.js';
import type { BenchCase } from './case.js';

/** Inserts only, into a table without a key: what exactly once costs on top of COPY. */
export function appendCase(rowsPerCommit: number): BenchCase {
  const name = `postgres/append/commit=${rowsPerCommit}`;
  const comparisons = [
    { name: `${name}/vs-copy`, ours: 'pipeline', baseline: 'copy', target: ratioAtLeast(0.95) },
    // The sink alone: how much of the time is the runner's.
    { name: `${name}/port-vs-copy`, ours: 'port', baseline: 'copy' },
  ];
  return {
    names: comparisons.map((line) => line.name),
    measure(laboratory) {
      const { url } = laboratory;
      const rows = laboratory.rows();
      const common = { primaryKey: false, after: rows.length };
      return throughput(laboratory, {
        changes: rows.length,
        comparisons,
        writers: [
          {
            name: 'pipeline',
            ...common,
            write: (place) => runPipeline({ url, ...place, rows, mode: 'append', rowsPerCommit }),
          },
          {
            name: 'port',
            ...common,
            write: (place) => driveSink({ url, ...place, rows, mode: 'append', rowsPerCommit }),
          },
          { name: 'copy', ...common, write: ({ table }) => copyInTurn({ url, table, rows, rowsPerCommit }) },
        ],
      });
    },
  };
}
