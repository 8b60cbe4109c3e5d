/** A commit of ten rows, by itself: what stands on the disk when it is acknowledged is a file of data and a version. */
import type { BenchCase } from '../cases/case.js';
import { measurement } from '../measurement.js';
import { makeRows } from '../rows.js';
import { median, percentile } from '../statistics.js';
import { appendWithDeltaRs } from './delta-rs.js';
import type { DeltaLaboratory } from './laboratory.js';
import { commitDeltaAlone } from './ours.js';

const NAME = 'delta/append/commit-of-10-rows';
const ROWS_PER_COMMIT = 10;
const COMMITS = 200;
/** The first commits find their program not yet compiled. */
const WARM_UP = 20;

export function deltaCommitCase(): BenchCase<DeltaLaboratory> {
  return {
    names: [`${NAME}/p50`, `${NAME}/p99`],
    async measure(laboratory) {
      const { options, python } = laboratory;
      const commits = options.quick ? WARM_UP + 5 : COMMITS;
      const rows = makeRows(commits * ROWS_PER_COMMIT);
      await laboratory.settle();
      const ours = await laboratory.inFolder((folder) => commitDeltaAlone(folder, rows, ROWS_PER_COMMIT));
      const theirs =
        python === undefined
          ? []
          : await laboratory.inFolder(
              async (folder) => (await appendWithDeltaRs(python, folder, rows.length, ROWS_PER_COMMIT)).taken,
            );
      const settled = { ours: ours.slice(WARM_UP), theirs: theirs.slice(WARM_UP) };
      return [0.5, 0.99].map((share) => {
        const of = (taken: readonly number[]) => (share === 0.5 ? median(taken) : percentile(taken, share));
        return measurement({
          name: `${NAME}/p${share * 100}`,
          ours: of(settled.ours),
          ...(settled.theirs.length === 0 ? {} : { baseline: of(settled.theirs) }),
          unit: 'ms',
          runs: settled.ours.length,
        });
      });
    },
  };
}
