import { ratioAtLeast } from '../measurement.js';
import { runPipeline, type PipelineOptions } from '../ours.js';
import type { BenchRow } from '../rows.js';
import { throughput, type Writer } from '../throughput.js';
import type { BenchCase } from './case.js';

/** One row in so many is bad. */
const EVERY = 1_000;

/** What bad rows cost: a thousandth of them into the dead letters, against none and the pipeline that would stop at the first. */
export function deadLetterCase(rowsPerCommit: number): BenchCase {
  const nameOf = (share: string) => `postgres/append/dead-letters=${share}/commit=${rowsPerCommit}`;
  const comparisons = [
    { name: nameOf('0.1%'), ours: 'rejected', baseline: 'none', target: ratioAtLeast(0.8) },
    { name: `${nameOf('0.1%')}/found-before-sending`, ours: 'unsendable', baseline: 'none' },
    { name: nameOf('0'), ours: 'prepared', baseline: 'none' },
  ];
  return {
    names: comparisons.map((line) => line.name),
    measure(laboratory) {
      const { url } = laboratory;
      const rows = laboratory.rows();
      const bad = Math.floor(rows.length / EVERY);
      const writer = (
        name: string,
        after: number,
        options: Pick<PipelineOptions, 'rows' | 'badRows'>,
      ): Writer => ({
        name,
        primaryKey: false,
        check: true,
        after,
        write: (place) => runPipeline({ url, ...place, mode: 'append', rowsPerCommit, ...options }),
      });
      const badRows = 'dead-letter';
      return throughput(laboratory, {
        changes: rows.length,
        comparisons,
        writers: [
          writer('none', rows.length, { rows }),
          writer('prepared', rows.length, { rows, badRows }),
          writer('rejected', rows.length - bad, { rows: spoiled(rows, { quantity: -1 }), badRows }),
          writer('unsendable', rows.length - bad, { rows: spoiled(rows, { quantity: 0.5 }), badRows }),
        ],
      });
    },
  };
}

/** The same rows, of which one in a thousand is bad. */
function spoiled(rows: readonly BenchRow[], change: Partial<BenchRow>): BenchRow[] {
  return rows.map((row, index) => (index % EVERY === EVERY - 1 ? { ...row, ...change } : row));
}
