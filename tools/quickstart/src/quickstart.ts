/** One run: the server, the files, the writers and their deaths, the check. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startPostgres, type PostgresServer, type TestDatabase } from '@eos/services';
import { tcpProxy } from '@eos/testkit';
import { checkRows } from './check.js';
import { prepareData, type DataSet, type Slice } from './data.js';
import { isCopying, readTables, unsafePositions, type StoredTable } from './database.js';
import { readDeltaFlights, readDeltaRoutes } from './delta.js';
import { hasUncommittedFiles, readFolder } from './folder.js';
import { killPlan, type PlannedKill } from './kill-plan.js';
import { runLives } from './lives.js';
import { expectedFlights, expectedRoutes } from './oracle.js';
import type { Progress, ProgressTotals } from './progress.js';
import type { Result } from './report.js';
import { byTable, rowsBefore, Tally } from './tally.js';
import { LONG_COMMIT_ROWS, TABLES, type CommitRows, type DeltaName, type Table } from './tables.js';
import { readUnsafeFiles } from './unsafe-files.js';

export interface QuickstartOptions {
  readonly seed: number;
  /** Whether offsets are committed apart from rows. */
  readonly unsafe: boolean;
  /** Less data, for tests. */
  readonly slice?: Slice;
  /** Source rows per transaction. Default {@link COMMIT_ROWS}. */
  readonly commitRows?: CommitRows;
  readonly startProgress: (totals: ProgressTotals) => Progress;
  readonly signal: AbortSignal;
}

/** Small, so that there are hundreds of commits, and a kill has something to hit. */
export const COMMIT_ROWS: CommitRows = {
  flights: 1_000,
  routes: 500,
  parquet: 5_000,
  'delta-flights': 5_000,
  'delta-routes': 2_000,
};

export interface Introduction {
  readonly version: string;
  readonly rows: Readonly<Record<Table, number>>;
  readonly kills: number;
}

export interface Quickstart {
  readonly introduction: Introduction;
  /** Runs the writers and checks what they left. @throws what makes a run worthless, or the reason of `signal` */
  run(): Promise<Result>;
  /** The database, until `close`. */
  readonly url: string;
  /** The folder of files, until `close`. */
  readonly folder: string;
  /** Stops the server and removes every file of the run. */
  close(): Promise<void>;
}

/** Starts a server, and makes the changelog in a folder of its own. */
export async function openQuickstart(options: QuickstartOptions): Promise<Quickstart> {
  const server = await startPostgres();
  try {
    const database = await server.createDatabase('quickstart');
    // The server's folder is the run's: a watchdog removes it even after SIGKILL.
    const data = await prepareData(server.directory, options.slice);
    return quickstartWith(options, server, { database, folder: join(server.directory, 'lake') }, data);
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** Where the writers write. */
interface Places {
  readonly database: TestDatabase;
  readonly folder: string;
}

function quickstartWith(
  options: QuickstartOptions,
  server: PostgresServer,
  places: Places,
  data: DataSet,
): Quickstart {
  const { seed, commitRows = COMMIT_ROWS } = options;
  // The kills leave the end of each table alone: so a long transaction can begin wherever one strikes.
  const commits = (table: Table) =>
    Math.floor((data.offsets[table].length - LONG_COMMIT_ROWS) / commitRows[table]);
  const plan = killPlan(seed, byTable(commits));
  return {
    introduction: {
      version: server.version,
      rows: byTable((table) => data.offsets[table].length),
      kills: plan.length,
    },
    url: places.database.url,
    folder: places.folder,
    async run() {
      const tally = await write(options, places, data, plan, commitRows);
      return await check(options, places, data, tally);
    },
    close: () => server.stop(),
  };
}

async function write(
  { unsafe, signal, startProgress }: QuickstartOptions,
  { database, folder }: Places,
  data: DataSet,
  plan: readonly PlannedKill[],
  commitRows: CommitRows,
): Promise<Tally> {
  const tally = new Tally(data.offsets);
  const rows = TABLES.reduce((sum, table) => sum + data.offsets[table].length, 0);
  const proxy = await tcpProxy({ host: database.host, port: database.port });
  const progress = startProgress({ rows, kills: plan.length });
  const show = (doing: string) =>
    progress.show({ rows: tally.rows, commits: tally.commits, kills: tally.kills.length, doing });
  const connection = new URL(database.url);
  connection.port = String(proxy.port);
  try {
    await runLives({
      writer: writerFile(unsafe ? 'unsafe-writer.js' : 'writer.js'),
      task: {
        connection: connection.href,
        folder,
        flightsFile: data.flightsFile,
        changelogFile: data.changelogFile,
        commitRows,
      },
      proxy,
      plan,
      onNews: (news) => {
        tally.heard(news);
        show(news.news === 'claim' ? 'started' : `writing ${news.table}`);
      },
      onWrite: async (kill) => {
        // The unsafe writer has waited for the answers to all that it sent.
        if (unsafe) return;
        const isUnderWay =
          kill.table === 'parquet' ? await hasUncommittedFiles(folder) : await isCopying(database.url);
        if (!isUnderWay) tally.contradict(kill, 'no row had reached the destination');
      },
      onKill: (kill) => {
        tally.killed(kill);
        show('killed');
      },
      signal,
    });
    show('done');
    return tally;
  } finally {
    progress.stop();
    await proxy.close();
  }
}

/** Children run what was built, also where this file is run from its source. */
function writerFile(name: string): URL {
  return new URL(`../dist/${name}`, import.meta.url);
}

async function check(
  { unsafe }: QuickstartOptions,
  { database, folder }: Places,
  data: DataSet,
  tally: Tally,
): Promise<Result> {
  const found = {
    ...(await readTables(database.url, unsafe)),
    ...(await readFiles(folder, database.url, unsafe)),
  };
  const flights = expectedFlights(await readFile(data.flightsFile));
  const routes = expectedRoutes(await readFile(data.routeFlightsFile));
  return {
    checks: byTable((table) => checkRows(table.endsWith('routes') ? routes : flights, found[table].rows)),
    positions: byTable((table) => standOf(found[table], data.offsets[table])),
    kills: tally.kills,
    landedUnseen: unsafe ? undefined : tally.landedUnseen,
    contradictions: tally.contradictions,
  };
}

async function readFiles(
  folder: string,
  url: string,
  unsafe: boolean,
): Promise<Record<'parquet' | DeltaName, StoredTable>> {
  if (unsafe) return await readUnsafeFiles(folder, await unsafePositions(url));
  return {
    parquet: await readFolder(folder),
    'delta-flights': await readDeltaFlights(folder),
    'delta-routes': await readDeltaRoutes(folder),
  };
}

function standOf({ position }: StoredTable, offsets: readonly number[]) {
  const offset = position?.offset ?? 0;
  return {
    offset,
    rowsLeft: offsets.length - rowsBefore(offsets, offset),
    ...(position?.commits === undefined ? {} : { commits: position.commits }),
  };
}
