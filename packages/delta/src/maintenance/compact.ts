/**
 * Merges small files, and writes files anew that have deletion vectors. No row changes, and no position: readers of changes pass such a version
 * over, and writers that lose a race against it go on behind it.
 */
import { EosError, randomId, type CompactOptions, type CompactReport, type FileTotals } from '@eos/core';
import type { FilePlace, FileSettings } from '../files/data-file.js';
import { storedPlan } from '../files/stored-plan.js';
import { NO_ACTIONS, type AddFile, type Version } from '../log/actions.js';
import { DeltaLog } from '../log/delta-log.js';
import { dataKey } from '../log/paths.js';
import { checkWritable } from '../log/protocol.js';
import { removeOf } from '../merge/rewritten-file.js';
import { rowCountOf } from '../statistics/file-bounds.js';
import { compactionGroups, type CompactionGroup } from './compaction-groups.js';
import { checkFloor } from './floor.js';
import { maintenanceInfo } from './maintenance-commit.js';
import { mergeFiles } from './merge-files.js';

/** Sorting keeps the rows of a file in memory as values. */
const SORTED_BYTES = 32 * 1024 * 1024;

/** New files with those that they stand for. */
interface Merged {
  readonly from: CompactionGroup;
  readonly to: readonly AddFile[];
}

/**
 * Memory: the list of files, and one row group as values; with `sortBy` the rows of 32 MiB of files.
 * @throws EOS_SCHEMA where there is no table, or one that this version may not write to; EOS_CONFIG for a column that rows cannot be sorted by;
 *   EOS_UNAVAILABLE, retryable, where others were faster; EOS_ABORTED
 */
export async function compactTable(
  place: FilePlace,
  settings: FileSettings,
  { dryRun, signal, sortBy }: CompactOptions,
): Promise<CompactReport> {
  const log = await DeltaLog.open(place.store, place.place);
  const { state } = log;
  if (state.version < 0)
    throw new EosError(
      'EOS_SCHEMA',
      `there is no Delta table in ${place.store.description} ${place.place.prefix}`,
    );
  checkWritable(state.protocol, state.metadata);
  const base = state.version;
  const { adds } = await state.files.current();
  const before = totals(adds.values());
  const upTo = BigInt(base);
  const targetBytes =
    sortBy === undefined ? settings.targetFileBytes : Math.min(settings.targetFileBytes, SORTED_BYTES);
  const groups = compactionGroups(adds.values(), targetBytes, sortBy !== undefined);
  if (dryRun || groups.length === 0) return { before, after: before, upTo, dryRun };
  const merged: Merged[] = [];
  try {
    const plan = storedPlan(state.metadata);
    for (const from of groups) {
      if (signal?.aborted === true)
        throw new EosError('EOS_ABORTED', 'compaction was stopped: the table is as it was');
      merged.push({ from, to: await mergeFiles(place, plan, settings, from, sortBy) });
    }
  } catch (error) {
    await discard(place, merged);
    throw error;
  }
  await commit(log, place, merged, base);
  return { before, after: totals((await log.state.files.current()).adds.values()), upTo, dryRun };
}

/** What others have replaced meanwhile is left out. */
async function commit(
  log: DeltaLog,
  place: FilePlace,
  merged: readonly Merged[],
  base: Version,
): Promise<void> {
  const { metadata } = log.state;
  for (let left = merged; ;) {
    if (log.state.metadata !== metadata || left.length === 0) {
      await discard(place, left);
      throw overtaken();
    }
    try {
      checkFloor(log.state, base);
    } catch (error) {
      await discard(place, left);
      throw error;
    }
    const now = Date.now();
    const id = randomId();
    const actions = {
      ...NO_ACTIONS,
      info: maintenanceInfo(id, 'OPTIMIZE', log.state.version, now),
      removes: left.flatMap(({ from }) => from.map((file) => removeOf(file, now, false))),
      adds: left.flatMap(({ to }) => to.map((file) => ({ ...file, dataChange: false }))),
    };
    // Where names in the log became free again, nothing here can tell: the table then has these files or not, and the rows are the same.
    if (await log.append(actions, () => true)) return;
    await log.advance();
    const { adds } = await log.state.files.current();
    const [still, gone] = [[] as Merged[], [] as Merged[]];
    for (const group of left) (isUntouched(group, adds) ? still : gone).push(group);
    await discard(place, gone);
    left = still;
  }
}

function isUntouched({ from }: Merged, adds: ReadonlyMap<string, AddFile>): boolean {
  return from.every((file) => adds.get(file.path) === file);
}

/** Of files that no commit names. Never throws. */
async function discard({ store, place }: FilePlace, merged: readonly Merged[]): Promise<void> {
  const keys = merged.flatMap(({ to }) => to.map(({ path }) => dataKey(place, path)));
  await store.delete(keys).catch(() => undefined);
}

function totals(files: Iterable<AddFile>): FileTotals {
  let [count, bytes, rows] = [0, 0, 0];
  for (const { size, stats, deletionVector } of files) {
    count += 1;
    bytes += size;
    rows += (rowCountOf(stats) ?? 0) - (deletionVector?.cardinality ?? 0);
  }
  return { files: count, bytes, rows };
}

function overtaken(): EosError {
  return new EosError(
    'EOS_UNAVAILABLE',
    'compaction gave up: others have replaced the files meanwhile, or altered the table. The table is as it should be; run it again',
    { retryable: true },
  );
}
