/** Reads back the files that the unsafe writer leaves. No log names them: all that lie there count. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FoundRow } from './check.js';
import type { StoredPosition, StoredTable } from './database.js';
import { flightsIn } from './duckdb.js';
import { namesIn } from './names-in.js';
import { routeText } from './oracle.js';
import type { DeltaName, Table } from './tables.js';

/** The tables that the unsafe writer writes as files: what it does by hand is the same for all. */
export type FileTable = 'parquet' | DeltaName;

/** Where its files lie. */
export function unsafeFolder(folder: string, table: FileTable): string {
  return join(folder, table);
}

export async function readUnsafeFiles(
  folder: string,
  positions: ReadonlyMap<string, StoredPosition>,
): Promise<Record<FileTable, StoredTable>> {
  const filesOf = async (table: FileTable) => {
    const place = unsafeFolder(folder, table);
    const names = (await namesIn(place)).filter((name) => name.endsWith('.ndjson'));
    return names.sort().map((name) => join(place, name));
  };
  const stored = (table: Table, rows: readonly FoundRow[]) => ({ rows, position: positions.get(table) });
  return {
    parquet: stored('parquet', await flightsIn(await filesOf('parquet'), 'read_json')),
    'delta-flights': stored('delta-flights', await flightsIn(await filesOf('delta-flights'), 'read_json')),
    'delta-routes': stored('delta-routes', await foldedRoutes(await filesOf('delta-routes'))),
  };
}

/** One change of a route. */
export interface RouteChange {
  readonly op: number;
  readonly origin: string;
  readonly destination: string;
  readonly flights: number;
  readonly delay_minutes: number;
}

/** What is left of changes, in the order of the files: inserts and updates are there, deletes are not. */
async function foldedRoutes(files: readonly string[]): Promise<FoundRow[]> {
  const routes = new Map<string, string>();
  for (const file of files) {
    for (const line of (await readFile(file, 'utf8')).split('\n')) {
      if (line === '') continue;
      // Written by the unsafe writer, from a RouteChange.
      const { op, origin, destination, flights, delay_minutes } = JSON.parse(line) as RouteChange;
      const route = `${origin}-${destination}`;
      if (isGone(op)) routes.delete(route);
      else routes.set(route, routeText({ flights, delay: delay_minutes }));
    }
  }
  return [...routes];
}

/** -U and -D. */
export function isGone(op: number | undefined): boolean {
  return op === 1 || op === 3;
}
