/**
 * Deletes what no reader of the table needs: files of transactions that were never committed, and files that compaction has replaced. No
 * clock decides. Every data file carries in its name the end of the log as its writer had seen it; the first step commits a *floor*, below
 * which nothing is committed from then on; only then what is needed is read, and what lies below the floor and is not needed is deleted.
 * The floor is where the log ended at the vacuum before: transactions that began since then live on.
 */
import { EosError, type VacuumReport } from '@eos/core';
import type { UploadEntry } from '@eos/object-store';
import type { FloorEntry } from '../log/entry.js';
import { liveFiles, openLog, readLog, readState, type TablePlace } from '../log/index.js';
import { EOS_FOLDER, seqOfDataPath } from '../log/keys.js';
import { newNonce } from '../log/nonce.js';
import type { LogState } from '../log/state.js';

export interface VacuumOptions {
  /** Only say what would be deleted: no floor is committed either. */
  readonly dryRun: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** How many keys one request deletes. */
const DELETED_AT_ONCE = 1_000;

/**
 * Memory: a digest of the path of each live file whose name lies below the floor (about 100 bytes each), and a page of the listing.
 * @throws EOS_SCHEMA where there is no table; EOS_ABORTED
 */
export async function vacuumTable(place: TablePlace, options: VacuumOptions): Promise<VacuumReport> {
  const { dryRun, signal } = options;
  const state = dryRun ? await readState(place) : await commitFloor(place);
  if (state.table === undefined)
    throw new EosError('EOS_SCHEMA', `there is no table in ${place.store.description} ${place.prefix}`);
  // A dry run counts with the floor that a vacuum would commit now.
  const floor = dryRun ? (state.floorSeq ?? state.floor) : state.floor;
  const needed = await neededPaths(place, state, floor);
  const strangers = await tablesWithin(place);
  const isDead = (path: string) => isBelow(path, floor) && !needed.has(path) && !isWithin(path, strangers);
  let [files, bytes] = [0, 0];
  let keys: string[] = [];
  const flush = async () => {
    if (!dryRun && keys.length > 0) await place.store.delete(keys);
    keys = [];
  };
  for await (const page of place.store.list({ prefix: place.prefix })) {
    if (signal?.aborted === true) throw abortedError();
    for (const { key, bytes: size } of page) {
      const path = key.slice(place.prefix.length);
      if (!isDead(path)) continue;
      files += 1;
      bytes += size;
      keys.push(key);
      if (keys.length >= DELETED_AT_ONCE) await flush();
    }
  }
  await flush();
  const uploads = await abortUploads(place, isDead, dryRun);
  return { floor, files, bytes, uploads, dryRun };
}

/** A log entry: whoever commits afterwards has read it. */
async function commitFloor(place: TablePlace): Promise<LogState> {
  const log = openLog(place);
  try {
    await log.refresh();
    if (log.state.table === undefined) return log.state;
    await log.append((state): FloorEntry => ({
      kind: 'floor',
      nonce: newNonce(),
      at: Date.now(),
      floor: state.floorSeq ?? state.floor,
    }));
    return log.state;
  } finally {
    await log.close();
  }
}

/** What the table holds now, and what commits whose uploads may not be complete will hold. */
async function neededPaths(place: TablePlace, state: LogState, floor: bigint): Promise<ReadonlySet<string>> {
  const needed = new Set<string>();
  for await (const { path } of liveFiles(place, state)) if (isBelow(path, floor)) needed.add(path);
  for (const { path } of state.base?.manifests ?? []) needed.add(path);
  for (const { seq } of state.pending.values()) {
    for await (const { entry } of readLog(place, { from: seq, to: seq }))
      if (entry.kind === 'commit') for (const { path } of entry.files) needed.add(path);
  }
  return needed;
}

/** Only what Eos has named, and never what belongs to the log itself. */
function isBelow(path: string, floor: bigint): boolean {
  if (path.startsWith(EOS_FOLDER) && !path.startsWith(`${EOS_FOLDER}base/`)) return false;
  const seq = seqOfDataPath(path);
  return seq !== undefined && seq < floor;
}

/** Folders of other tables below this one: what lies there is theirs. */
async function tablesWithin({ store, prefix }: TablePlace): Promise<readonly string[]> {
  const folders = new Set<string>();
  for await (const page of store.list({ prefix })) {
    for (const { key } of page) {
      const at = key.indexOf(`/${EOS_FOLDER}`, prefix.length);
      if (at !== -1) folders.add(key.slice(prefix.length, at + 1));
    }
  }
  return [...folders];
}

function isWithin(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => path.startsWith(folder));
}

async function abortUploads(
  { store, prefix }: TablePlace,
  isDead: (path: string) => boolean,
  dryRun: boolean,
): Promise<number> {
  let count = 0;
  for await (const page of store.listUploads({ prefix })) {
    const dead: UploadEntry[] = page.filter(({ key }) => isDead(key.slice(prefix.length)));
    count += dead.length;
    if (!dryRun && dead.length > 0) await store.abortUploads(dead);
  }
  return count;
}

function abortedError(): EosError {
  return new EosError(
    'EOS_ABORTED',
    'vacuum was stopped: what it has deleted was not needed, and the next one goes on',
  );
}
