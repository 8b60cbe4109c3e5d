/** Reads the tables and the stored positions back, with plain `pg`. */
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import type { FoundRow } from './check.js';
import { flightText, routeText } from './oracle.js';
import type { Table } from './tables.js';

/** How long a server may take for what was sent to it. */
const COPY_PATIENCE_MS = 5_000;

/** Where a table stands, as the destination has it. */
export interface StoredPosition {
  readonly offset: number;
  /** How many commits there were; undefined where nobody counts them. */
  readonly commits: number | undefined;
}

export interface StoredTable {
  readonly rows: readonly FoundRow[];
  readonly position: StoredPosition | undefined;
}

export type StoredTables = Record<'flights' | 'routes', StoredTable>;

/** What both tables of the database hold. The positions are those of Eos, or those that the unsafe writer keeps. */
export async function readTables(url: string, unsafe: boolean): Promise<StoredTables> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const position = unsafe ? unsafePosition : eosPosition;
    return {
      flights: { rows: await readFlights(client), position: await position(client, 'flights') },
      routes: { rows: await readRoutes(client), position: await position(client, 'routes') },
    };
  } finally {
    await client.end();
  }
}

/** Where all that the unsafe writer writes stands, files too: it keeps its positions in the database. */
export async function unsafePositions(url: string): Promise<ReadonlyMap<string, StoredPosition>> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ table_name: string; next_offset: string }>(
      'SELECT table_name, next_offset FROM progress',
    );
    return new Map(
      rows.map((row) => [row.table_name, { offset: Number(row.next_offset), commits: undefined }]),
    );
  } finally {
    await client.end();
  }
}

/** Resolves with whether the server has taken rows of a COPY that is open; it may need a moment to take what was sent. */
export async function isCopying(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const end = performance.now() + COPY_PATIENCE_MS;
    for (;;) {
      const { rows } = await client.query(
        'SELECT FROM pg_stat_progress_copy WHERE datname = current_database() AND bytes_processed > 0',
      );
      if (rows.length > 0) return true;
      if (performance.now() > end) return false;
      await delay(10);
    }
  } finally {
    await client.end();
  }
}

async function readFlights(client: Client): Promise<FoundRow[]> {
  const { rows } = await client.query<{
    source_offset: string;
    delay: number;
    distance: number;
    time: number;
  }>('SELECT source_offset, delay, distance, time FROM flights');
  return rows.map((row) => [row.source_offset, flightText(row)]);
}

async function readRoutes(client: Client): Promise<FoundRow[]> {
  const { rows } = await client.query<{
    origin: string;
    destination: string;
    flights: number;
    delay: number;
  }>('SELECT origin, destination, flights, delay_minutes AS delay FROM routes');
  return rows.map((row) => [`${row.origin}-${row.destination}`, routeText(row)]);
}

async function eosPosition(client: Client, table: Table): Promise<StoredPosition | undefined> {
  const { rows } = await client.query<{ next_offset: string; epoch: string }>(
    'SELECT next_offset, epoch FROM eos.positions WHERE pipeline = $1 ORDER BY epoch DESC LIMIT 1',
    [table],
  );
  const [row] = rows;
  return row && { offset: Number(row.next_offset), commits: Number(row.epoch) };
}

async function unsafePosition(client: Client, table: Table): Promise<StoredPosition | undefined> {
  const { rows } = await client.query<{ next_offset: string }>(
    'SELECT next_offset FROM progress WHERE table_name = $1',
    [table],
  );
  const [row] = rows;
  return row && { offset: Number(row.next_offset), commits: undefined };
}
