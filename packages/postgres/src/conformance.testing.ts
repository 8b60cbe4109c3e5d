/** The harness of the conformance suite: a database for each test, and a proxy that loses what is said to it. */
import type { SinkConnector } from '@eos/core';
import type { PostgresService, TestDatabase } from '@eos/services';
import {
  conformanceKey,
  conformanceSchema,
  proxyFaults,
  proxyOutage,
  rejectedName,
  tcpProxy,
  type ConformanceRow,
  type Destination,
  type FoundLetter,
  type FoundRow,
  type History,
} from '@eos/testkit';
import { Client } from 'pg';
import { postgresSink } from './index.js';

const CHILD = new URL('../testing/conformance-child.mjs', import.meta.url);

export async function postgresDestination(
  service: PostgresService,
  mode: 'append' | 'upsert' | 'retract',
  tables: readonly [string, ...string[]] = ['conformance'],
  badRows: 'fail' | 'dead-letter' = 'fail',
): Promise<Destination> {
  const database = await service.createDatabase();
  const proxy = await tcpProxy(database);
  const client = new Client({ connectionString: database.url });
  // The outage is on the sinks' way, and the database is dropped at the end.
  client.on('error', () => undefined);
  await client.connect();
  if (badRows === 'dead-letter') await client.query(rejectingTable(mode));
  const urlOf = (route: 'direct' | 'faulty') =>
    route === 'direct' ? database.url : through(database, proxy.port);
  return {
    connector: (route) => connector(urlOf(route), mode, tables, badRows),
    deadLetters: () => readLetters(client),
    rows: () => readRows(client, tables),
    faults: proxyFaults(proxy, { isCommit: (chunk) => chunk.includes('COMMIT') }),
    outage: proxyOutage(proxy),
    history: databaseHistory(client, tables),
    recreate: () => recreateTables(client, tables),
    child: { module: CHILD, options: { url: database.url, mode, tables: [...tables], badRows } },
    async close() {
      await proxy.close();
      await client.end();
      await database.drop();
    },
  };
}

/** Rows go to several tables by their id. */
function connector(
  url: string,
  mode: 'append' | 'upsert' | 'retract',
  tables: readonly [string, ...string[]],
  badRows: 'fail' | 'dead-letter',
): SinkConnector<ConformanceRow> {
  const options = { connection: url, badRows, ...(mode === 'upsert' ? { key: conformanceKey } : {}) };
  const [only, ...others] = tables;
  if (others.length === 0 || mode === 'retract') {
    const search = mode === 'retract' && badRows === 'dead-letter' ? { requireRowHash: false } : {};
    return postgresSink({ ...options, ...search, mode, table: only, schema: conformanceSchema });
  }
  const routes = tables.map((table) => [table, { schema: conformanceSchema }] as const);
  const by = ({ id }: ConformanceRow) =>
    String(tables[Number(BigInt.asUintN(64, BigInt(id)) % BigInt(tables.length))]);
  return postgresSink({ ...options, mode, route: { by, tables: Object.fromEntries(routes) } });
}

/** The table that the sink would make, which rejects a name. */
function rejectingTable(mode: 'append' | 'upsert' | 'retract'): string {
  return `CREATE TABLE conformance (id bigint NOT NULL ${mode === 'upsert' ? 'PRIMARY KEY' : ''}, flag boolean, small integer, big bigint,
    ratio double precision, amount numeric(38, 9), name text, raw bytea, day date, moment timestamptz, document jsonb, reference uuid,
    CHECK (name <> '${rejectedName}'))`;
}

async function readLetters(client: Client): Promise<readonly FoundLetter[]> {
  const { rows: tables } = await client.query(`SELECT WHERE to_regclass('eos.dead_letters') IS NOT NULL`);
  if (tables.length === 0) return [];
  const { rows } = await client.query<{ partition: string; row_offset: string | null }>(
    'SELECT partition, row_offset FROM eos.dead_letters',
  );
  return rows.map(({ partition, row_offset: offset }) => ({ partition, offset: BigInt(offset ?? -1) }));
}

function through(database: TestDatabase, port: number): string {
  const url = new URL(database.url);
  url.port = String(port);
  return url.href;
}

/** One statement sees one state, whatever is committed meanwhile. */
async function readRows(client: Client, tables: readonly string[]): Promise<readonly FoundRow[]> {
  const { rows: found } = await client.query<{ name: string }>(
    'SELECT tablename AS name FROM pg_tables WHERE tablename = ANY ($1)',
    [tables],
  );
  if (found.length === 0) return [];
  // As sent in binary: the server's own arithmetic is not exact that far from today.
  const moment = `encode(timestamptz_send(moment), 'hex') AS moment`;
  const columns = `id, flag, small, big, ratio, amount, name, raw, day::text, document, reference`;
  const selects = found.map(({ name }) => `SELECT ${columns}, ${moment} FROM ${name}`);
  const { rows } = await client.query<FoundRow>(selects.join(' UNION ALL '));
  return rows.map((row) => ({ ...row, moment: microseconds(row['moment']) }));
}

/** The server counts from 2000-01-01. */
const MICROSECONDS_TO_2000 = 946_684_800_000_000n;

function microseconds(sent: unknown): bigint | null {
  if (typeof sent !== 'string') return null;
  return BigInt.asIntN(64, BigInt(`0x${sent}`)) + MICROSECONDS_TO_2000;
}

async function recreateTables(client: Client, tables: readonly string[]): Promise<void> {
  const statements = tables.map(
    (table) =>
      `CREATE TABLE again (LIKE ${table} INCLUDING ALL); DROP TABLE ${table}; ALTER TABLE again RENAME TO ${table}`,
  );
  await client.query(statements.join('; '));
}

/** What a backup of the database would bring back. */
function databaseHistory(client: Client, written: readonly string[]): History {
  const ours = written.map((table) => `public.${table}`);
  const tables = [...ours, 'eos.targets', 'eos.claims', 'eos.positions'];
  const kept = tables.map((table) => `kept.${table.replace('.', '_')}`);
  return {
    async save() {
      const copies = tables.map((table, index) => `CREATE TABLE ${String(kept[index])} AS TABLE ${table}`);
      await client.query(`DROP SCHEMA IF EXISTS kept CASCADE; CREATE SCHEMA kept; ${copies.join('; ')}`);
    },
    async restore() {
      const copies = tables.map((table, index) => {
        // The server makes the hash of a row itself.
        const columns = index === 0 ? conformanceSchema.names.join(', ') : '*';
        return `INSERT INTO ${table} ${index === 0 ? `(${columns})` : ''} SELECT ${columns} FROM ${String(kept[index])}`;
      });
      await client.query(`TRUNCATE ${tables.join(', ')}; ${copies.join('; ')}`);
    },
  };
}
