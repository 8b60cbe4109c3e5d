/** What the cases share: a server of their own, the rows, and a quiet moment before each run. */
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { startPostgres, type PostgresServer } from '@eos/services';
import { Client, escapeIdentifier } from 'pg';
import { copyInTurn } from './baselines/copy.js';
import { isWanted, type BenchOptions } from './options.js';
import { elapsed, postmasterOf, processorTime, type ProcessorTime } from './processor-time.js';
import { COLUMN_DEFINITIONS, makeRows, schema, type BenchRow } from './rows.js';

export interface Laboratory {
  readonly options: BenchOptions;
  readonly url: string;
  /** A connection for what is not measured. */
  readonly admin: Client;
  /** What runs here, for the head of a report. */
  readonly description: string;
  /** Whether a measurement of this name was asked for. */
  readonly wants: (name: string) => boolean;
  /** A name that no run had before, for its table and its pipeline. */
  freshName(prefix: string): string;
  /** The rows of the throughput cases: made once, the same for every side. */
  rows(): readonly BenchRow[];
  createTable(name: string, options?: TableOptions): Promise<void>;
  /** Fills a table and does what an autovacuum would have done long ago. */
  fillTable(name: string, rows: readonly BenchRow[]): Promise<void>;
  dropTable(name: string): Promise<void>;
  /** Runs `work` in an empty database, which is dropped afterwards. */
  withDatabase<Result>(work: (url: string) => Promise<Result>): Promise<Result>;
  /** Writes everything out, so that no run pays for what the last one left. */
  settle(): Promise<void>;
  /** Runs `work` after {@link settle} and says how long it took. */
  timed(work: () => Promise<void>): Promise<Timing>;
  /** Tells a person how far it is. */
  progress(text: string): void;
}

export interface TableOptions {
  readonly primaryKey?: boolean;
  /** The hash of each row with its index, by which retractions find it. */
  readonly rowHash?: boolean;
  /** Whether it rejects a negative quantity. */
  readonly check?: boolean;
}

export interface Timing {
  readonly seconds: number;
  readonly processor: ProcessorTime;
}

/** How long the disk is left alone after a checkpoint. */
const SETTLE_MS = 200;
const FILL_ROWS = 100_000;

/**
 * Starts a server with default settings (`fsync` on) and runs `work` with it.
 */
export async function withLaboratory<Result>(
  options: BenchOptions,
  progress: (text: string) => void,
  work: (laboratory: Laboratory) => Promise<Result>,
): Promise<Result> {
  const server = await startPostgres();
  try {
    const admin = new Client({ connectionString: server.url });
    await admin.connect();
    try {
      return await work(await equip(server, admin, options, progress));
    } finally {
      await admin.end();
    }
  } finally {
    await server.stop();
  }
}

async function equip(
  server: PostgresServer,
  admin: Client,
  options: BenchOptions,
  progress: (text: string) => void,
): Promise<Laboratory> {
  const { url, version } = server;
  const postmaster = await findPostmaster(admin);
  let names = 0;
  let rows: readonly BenchRow[] | undefined;
  const settle = async () => {
    await admin.query('CHECKPOINT');
    await delay(options.quick ? 0 : SETTLE_MS);
  };
  return {
    options,
    url,
    admin,
    description: `PostgreSQL ${version}, fsync on; Node ${process.versions.node}; ${availableParallelism()} processors; ${options.rows} rows, medians of ${options.runs} runs`,
    wants: (name) => isWanted(options, name),
    settle,
    progress,
    freshName: (prefix) => `${prefix}_${++names}`,
    rows: () => (rows ??= makeRows(options.rows)),
    createTable: (name, options = {}) => makeTable(admin, name, options),
    async fillTable(name, contents) {
      if (contents.length === 0) return;
      await copyInTurn({ url, table: name, rows: contents, rowsPerCommit: FILL_ROWS });
      await admin.query(`VACUUM ANALYZE ${escapeIdentifier(name)}`);
    },
    dropTable: async (name) => {
      await admin.query(`DROP TABLE IF EXISTS ${escapeIdentifier(name)}`);
    },
    async withDatabase(run) {
      const database = await server.createDatabase();
      try {
        return await run(database.url);
      } finally {
        await database.drop();
      }
    },
    async timed(run) {
      await settle();
      const before = await processorTime(postmaster);
      const start = performance.now();
      await run();
      const seconds = (performance.now() - start) / 1000;
      return { seconds, processor: elapsed(before, await processorTime(postmaster)) };
    },
  };
}

async function makeTable(admin: Client, name: string, options: TableOptions): Promise<void> {
  const table = escapeIdentifier(name);
  const lines = [
    ...COLUMN_DEFINITIONS,
    ...(options.primaryKey === true ? ['PRIMARY KEY (id)'] : []),
    ...(options.rowHash === true ? [ROW_HASH] : []),
    ...(options.check === true ? ['CHECK (quantity >= 0)'] : []),
  ];
  await admin.query(`CREATE TABLE ${table} (${lines.join(', ')})`);
  if (options.rowHash === true) await admin.query(`CREATE INDEX ON ${table} (eos_row_hash)`);
}

/** As Eos makes it. */
const ROW_HASH = `eos_row_hash bigint GENERATED ALWAYS AS (pg_catalog.hash_record_extended(ROW(${schema.names.join(', ')}), 0)) STORED`;

async function findPostmaster(admin: Client): Promise<number | undefined> {
  const { rows } = await admin.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return rows[0] === undefined ? undefined : postmasterOf(rows[0].pid);
}
