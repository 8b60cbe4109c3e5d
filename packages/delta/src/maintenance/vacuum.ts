/**
 * Deletes what nobody needs any more: files that were removed from the table longer ago than it keeps them, and those that no commit names. What a
 * running writer of Eos has written is safe whatever the clocks say: a *floor* is committed first, below which no transaction is committed from
 * then on, and only files from before the floor are deleted. For other writers the retention of the table counts, by the store's own times.
 */
import { EosError, randomId, type MaintenanceOptions, type VacuumReport } from '@eos/core';
import type { ObjectStore } from '@eos/object-store';
import type { FilePlace } from '../files/data-file.js';
import { NO_ACTIONS, type Version } from '../log/actions.js';
import { DeltaLog } from '../log/delta-log.js';
import { commitKey, LOG_FOLDER, type TablePlace } from '../log/paths.js';
import { checkWritable } from '../log/protocol.js';
import { fileRetentionMs } from '../log/retention.js';
import { maintenanceInfo } from './maintenance-commit.js';
import { floorActions, floorOf, nextFloor } from './floor.js';
import { isVacuumed, neededPaths } from './needed-files.js';

/** How many keys one request deletes. */
const DELETED_AT_ONCE = 1_000;

/**
 * Memory: the list of files of the table, and a page of the listing.
 * @throws EOS_SCHEMA where there is no table, or one that this version may not write to; EOS_ABORTED
 */
export async function vacuumTable(
  { store, place }: FilePlace,
  { dryRun, signal }: MaintenanceOptions,
): Promise<VacuumReport> {
  const log = await DeltaLog.open(store, place);
  checkTable(log, store, place);
  if (!dryRun) await commitFloor(log);
  // A dry run counts with the floor that a vacuum would commit now.
  const floor = dryRun ? nextFloor(log.state) : floorOf(log.state);
  const before = await deletedBefore(log, floor);
  const needed = await neededPaths(log.state, before.retained);
  const nested = await tablesWithin(store, place);
  let [files, bytes] = [0, 0];
  let keys: string[] = [];
  const flush = async () => {
    if (!dryRun && keys.length > 0) await store.delete(keys);
    keys = [];
  };
  for await (const page of store.list({ prefix: place.prefix })) {
    if (signal?.aborted === true) throw abortedError();
    for (const { key, bytes: size, lastModified } of page) {
      const path = key.slice(place.prefix.length);
      if (lastModified.getTime() >= before.written || needed.has(path) || !isVacuumed(path)) continue;
      if (nested.some((folder) => path.startsWith(folder))) continue;
      files += 1;
      bytes += size;
      keys.push(key);
      if (keys.length >= DELETED_AT_ONCE) await flush();
    }
  }
  await flush();
  return { floor: BigInt(floor), files, bytes, uploads: 0, dryRun };
}

function checkTable({ state }: DeltaLog, store: ObjectStore, { prefix }: TablePlace): void {
  if (state.version < 0)
    throw new EosError('EOS_SCHEMA', `there is no Delta table in ${store.description} ${prefix}`);
  checkWritable(state.protocol, state.metadata);
}

/** Whoever commits afterwards has read it. */
async function commitFloor(log: DeltaLog): Promise<void> {
  for (;;) {
    const now = Date.now();
    const id = randomId();
    const version = log.state.version + 1;
    const transactions = floorActions(log.state, version, now);
    const info = maintenanceInfo(id, 'VACUUM START', log.state.version, now);
    const holds = (state: DeltaLog['state']) => nextFloor(state) >= version;
    if (await log.append({ ...NO_ACTIONS, info, transactions }, holds)) return;
    await log.advance();
  }
}

/**
 * Times by the store's own clock, in milliseconds: a file that was written before `written` may go; one that was removed before `retained` is not
 * needed for earlier versions.
 */
async function deletedBefore(
  { store, place, state }: DeltaLog,
  floor: Version,
): Promise<{ readonly written: number; readonly retained: number }> {
  const [newest, floorCommit] = await Promise.all(
    [state.version, floor].map(async (version) => await store.head(commitKey(place, version))),
  );
  const now = newest?.lastModified.getTime() ?? -Infinity;
  const retained = now - fileRetentionMs(state.metadata);
  // Writers that have seen the floor wrote their files behind it. Without one, nothing is known to be dead.
  const floorTime = floor === 0 ? -Infinity : (floorCommit?.lastModified.getTime() ?? -Infinity);
  return { written: Math.min(floorTime, retained), retained };
}

/** Folders of other tables below this one: what lies there is theirs. */
async function tablesWithin(store: ObjectStore, { prefix }: TablePlace): Promise<readonly string[]> {
  const folders = new Set<string>();
  for await (const page of store.list({ prefix })) {
    for (const { key } of page) {
      const at = key.indexOf(`/${LOG_FOLDER}`, prefix.length);
      if (at !== -1) folders.add(key.slice(prefix.length, at + 1));
    }
  }
  return [...folders];
}

function abortedError(): EosError {
  return new EosError(
    'EOS_ABORTED',
    'vacuum was stopped: what it has deleted was not needed, and the next one goes on',
  );
}
