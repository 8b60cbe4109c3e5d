/** Reads the Delta tables back, with nothing of Eos: the log by the few lines below, the rows by DuckDB. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoredPosition, StoredTable } from './database.js';
import { flightsIn, routesIn } from './duckdb.js';
import { namesIn } from './names-in.js';
import { DELTA_PATHS, type DeltaName } from './tables.js';

/** Of an action, what is needed to say which files count, and where the table stands. */
interface Action {
  readonly add?: { readonly path: string; readonly dataChange: boolean };
  readonly remove?: { readonly path: string; readonly dataChange: boolean };
  readonly txn?: { readonly appId: string; readonly version: number };
}

/** What the log says. */
interface Replayed {
  /** Below the table. */
  readonly files: readonly string[];
  readonly position: StoredPosition | undefined;
}

export async function readDeltaFlights(folder: string): Promise<StoredTable> {
  const { files, position } = await replayLog(folder, 'delta-flights');
  return { rows: await flightsIn(files), position };
}

export async function readDeltaRoutes(folder: string): Promise<StoredTable> {
  const { files, position } = await replayLog(folder, 'delta-routes');
  return { rows: await routesIn(files), position };
}

/**
 * Replays every version from the first, without checkpoints.
 * @throws where a version is missing, or one changes rows that does not go on where the version before stood
 */
async function replayLog(folder: string, name: DeltaName): Promise<Replayed> {
  const table = join(folder, DELTA_PATHS[name]);
  const log = join(table, '_delta_log');
  const names = (await namesIn(log)).filter((file) => /^\d{20}\.json$/.test(file)).sort();
  const live = new Set<string>();
  let position: { readonly epoch: number; readonly offset: number } | undefined;
  for (const [version, file] of names.entries()) {
    if (file !== `${String(version).padStart(20, '0')}.json`)
      throw new Error(`the log of ${name} has no version ${version}: ${file} follows`);
    const lines = (await readFile(join(log, file), 'utf8')).trim().split('\n');
    // Written by the sink that is being checked: what does not fit shows as a wrong row, or throws.
    const actions = lines.map((line) => JSON.parse(line) as Action);
    const found = positionIn(actions, name);
    const changesRows = actions.some(({ add, remove }) => (add ?? remove)?.dataChange === true);
    if (changesRows || found !== undefined) {
      if (found?.epoch !== (position?.epoch ?? 0) + 1 || found.offset < (position?.offset ?? 0))
        throw new Error(`version ${version} of ${name} should have been refused`);
      position = found;
    }
    for (const { remove } of actions) if (remove !== undefined) live.delete(decodeURIComponent(remove.path));
    for (const { add } of actions) if (add !== undefined) live.add(decodeURIComponent(add.path));
  }
  return {
    files: [...live].map((path) => join(table, path)),
    position: position && { offset: position.offset, commits: position.epoch },
  };
}

/** The position that a version sets; undefined for none, and for that of a claim which finds nothing. */
function positionIn(
  actions: readonly Action[],
  pipeline: string,
): { readonly epoch: number; readonly offset: number } | undefined {
  const field = (last: string) =>
    actions.find(({ txn }) => txn?.appId.startsWith(`eos/1/${pipeline}/`) && txn.appId.endsWith(`/${last}`))
      ?.txn?.version;
  const [epoch, offset] = [field('epoch'), field('offset')];
  return epoch === undefined || offset === undefined ? undefined : { epoch, offset };
}
