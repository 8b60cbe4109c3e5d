/** New files of an upsert as the commit will name them: without the rows that a later change of the same transaction replaced. */
import { RowSet } from '../deletion-vectors/row-set.js';
import { VectorFile } from '../deletion-vectors/vector-file.js';
import type { FilePlace, FileSettings } from '../files/data-file.js';
import type { TablePlan } from '../files/table-plan.js';
import type { AddFile } from '../log/actions.js';
import { rowCountOf } from '../statistics/file-bounds.js';
import { looseStatistics } from '../statistics/file-statistics.js';
import type { KeyRun } from './key-run.js';
import { rewriteWithout } from './rewritten-file.js';
import type { StagedFile } from './staged-changes.js';

export interface StagedRows {
  /** By the index of the staged file; undefined where no row is left. */
  readonly adds: readonly (AddFile | undefined)[];
  /** Keys of files that were written for it. */
  readonly written: readonly string[];
  /** Staged files that are in no use any more. */
  readonly unused: readonly AddFile[];
  /** Where a row of a staged file is in what took its place. */
  readonly positionOf: (file: number, position: number) => number;
}

/** By deletion vectors: nothing is written again. */
export async function stagedWithVectors(
  { store, place }: FilePlace,
  staged: readonly StagedFile[],
): Promise<StagedRows> {
  const vectors = new VectorFile(store, place);
  const unused: AddFile[] = [];
  const adds = staged.map(({ add, superseded }) => {
    if (superseded === undefined) return add;
    const rowCount = rowCountOf(add.stats) ?? 0;
    if (superseded.size < rowCount)
      return { ...add, deletionVector: vectors.add(superseded), stats: looseStatistics(add.stats, rowCount) };
    unused.push(add);
    return undefined;
  });
  await vectors.finish();
  const written = vectors.isEmpty ? [] : [vectors.key];
  return { adds, written, unused, positionOf: (_file, position) => position };
}

/** By writing files again that have such rows. */
export async function stagedRewritten(
  place: FilePlace,
  plan: TablePlan,
  settings: FileSettings,
  staged: readonly StagedFile[],
): Promise<StagedRows> {
  const adds: (AddFile | undefined)[] = [];
  const unused: AddFile[] = [];
  for (const { add, superseded } of staged) {
    if (superseded === undefined) adds.push(add);
    else {
      adds.push(await rewriteWithout(place, plan, settings, add, superseded));
      unused.push(add);
    }
  }
  return { adds, written: [], unused, positionOf: shifted(staged) };
}

/** Positions move up by the rows in front that are gone. */
function shifted(staged: readonly StagedFile[]): StagedRows['positionOf'] {
  const gone = staged.map(({ superseded }) =>
    superseded === undefined ? undefined : Float64Array.from(superseded.positions()),
  );
  return (file, position) => {
    const positions = gone[file];
    return positions === undefined ? position : position - countBelow(positions, position);
  };
}

function countBelow(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** By the index of the file, the new rows of some keys of each run. */
export async function rowsOfKeys(
  runs: AsyncIterable<Pick<KeyRun, 'rowOf'>>,
  keysOfRun: ReadonlyMap<number, RowSet>,
  positionOf: StagedRows['positionOf'],
): Promise<ReadonlyMap<number, RowSet>> {
  const rows = new Map<number, RowSet>();
  let index = 0;
  for await (const run of runs) {
    for (const key of keysOfRun.get(index++)?.positions() ?? []) {
      const row = run.rowOf(key);
      if (row === undefined) continue;
      const known = rows.get(row.file) ?? new RowSet();
      known.add(positionOf(row.file, row.position));
      rows.set(row.file, known);
    }
  }
  return rows;
}
