/**
 * The same work as `writer.ts`, done by hand with plain `pg`: rows in one transaction, the offset in another. Both orders are common,
 * and both are wrong. Rows first (flights): killed in between, it writes them again. Offset first (routes), as a consumer that
 * commits its offsets when it has read: killed in between, it never writes them. The files (rows first again) come out as the table of flights does.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jsonArraySource, ndjsonSource, Op, rowSchema, t, type Source, type SourceBatch } from '@eos/core';
import { stopWhereAsked, type CrashPoint } from '@eos/testkit';
import { Client } from 'pg';
import { leaveParent, obeyParent, readTask, tellParent } from './messages.js';
import { routeSchema, type RouteRow, type Table } from './tables.js';

const { connection, folder, flightsFile, changelogFile, commitRows, stopDuring } = readTask();
obeyParent();

const fileSchema = rowSchema({ delay: t.int32(), distance: t.int32(), time: t.float64() });
type FileRow = { delay: number; distance: number; time: number };

const client = new Client({ connectionString: connection });
// Reported by the query under way.
client.on('error', () => undefined);
await client.connect();
await client.query(`
  CREATE TABLE IF NOT EXISTS flights (source_offset bigint, delay int, distance int, time float8);
  CREATE TABLE IF NOT EXISTS routes (
    origin text, destination text, flights int, delay_minutes int, PRIMARY KEY (origin, destination));
  CREATE TABLE IF NOT EXISTS progress (table_name text PRIMARY KEY, next_offset bigint)`);
await copyFlights();
await copyRoutes();
await copyToFiles();
await client.end();
leaveParent();

/** At least once: rows first, then the offset. */
async function copyFlights(): Promise<void> {
  const at = crashPoints('flights');
  const source = jsonArraySource({ path: flightsFile, schema: fileSchema });
  for await (const batch of batchesBehind('flights', source, at)) {
    await at('begin:before');
    await client.query('BEGIN');
    await at('begin:after');
    await inHalves(batch, insertFlights, at);
    await commit(at);
    await saveOffset('flights', batch.next);
  }
}

/** At most once: the offset first, then the rows. */
async function copyRoutes(): Promise<void> {
  const at = crashPoints('routes');
  const source = ndjsonSource({ path: changelogFile, op: 'op', schema: routeSchema });
  for await (const batch of batchesBehind('routes', source, at)) {
    await saveOffset('routes', batch.next);
    await at('begin:before');
    await client.query('BEGIN');
    await at('begin:after');
    await inHalves(batch, applyChanges, at);
    await commit(at);
  }
}

/** At least once: files first, then the offset. */
async function copyToFiles(): Promise<void> {
  const at = crashPoints('parquet');
  await mkdir(folder, { recursive: true });
  const source = jsonArraySource({ path: flightsFile, schema: fileSchema });
  for await (const batch of batchesBehind('parquet', source, at)) {
    await at('begin:before');
    await at('begin:after');
    await inHalves(batch, writeFlights, at);
    await at('prepare:before');
    await at('prepare:after');
    await at('commit:before');
    const saved = saveOffset('parquet', batch.next);
    await at('commit:during');
    await saved;
    await at('commit:after');
  }
}

async function writeFlights({
  rows,
  offsets,
}: Pick<SourceBatch<FileRow>, 'rows' | 'offsets'>): Promise<void> {
  const lines = rows.map(
    (row, index) => `${JSON.stringify({ source_offset: Number(offsets[index]), ...row })}\n`,
  );
  await writeFile(join(folder, `${randomUUID()}.ndjson`), lines.join(''));
}

async function insertFlights({
  rows,
  offsets,
}: Pick<SourceBatch<FileRow>, 'rows' | 'offsets'>): Promise<void> {
  await client.query(
    'INSERT INTO flights SELECT * FROM unnest($1::bigint[], $2::int[], $3::int[], $4::float8[])',
    [
      [...offsets].map(String),
      rows.map(({ delay }) => delay),
      rows.map(({ distance }) => distance),
      rows.map(({ time }) => time),
    ],
  );
}

/** The last change of each route decides. */
async function applyChanges({
  rows,
  ops = new Uint8Array(),
}: Pick<SourceBatch<RouteRow>, 'rows' | 'ops'>): Promise<void> {
  const last = new Map(
    rows.map((row, index) => [`${row.origin} ${row.destination}`, { row, op: ops[index] }]),
  );
  const isGone = (op: number | undefined) => op === Op.delete || op === Op.updateBefore;
  const gone = [...last.values()].filter(({ op }) => isGone(op)).map(({ row }) => row);
  const there = [...last.values()].filter(({ op }) => !isGone(op)).map(({ row }) => row);
  await client.query(
    `DELETE FROM routes r USING unnest($1::text[], $2::text[]) AS k (origin, destination)
     WHERE r.origin = k.origin AND r.destination = k.destination`,
    [gone.map(({ origin }) => origin), gone.map(({ destination }) => destination)],
  );
  await client.query(
    `INSERT INTO routes SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::int[])
     ON CONFLICT (origin, destination) DO UPDATE SET flights = excluded.flights, delay_minutes = excluded.delay_minutes`,
    [
      there.map(({ origin }) => origin),
      there.map(({ destination }) => destination),
      there.map(({ flights }) => flights),
      there.map(({ delay_minutes }) => delay_minutes),
    ],
  );
}

async function saveOffset(table: Table, offset: bigint): Promise<void> {
  await client.query(
    `INSERT INTO progress VALUES ($1, $2)
     ON CONFLICT (table_name) DO UPDATE SET next_offset = excluded.next_offset`,
    [table, offset.toString()],
  );
  tellParent({ news: 'commit', table, offset: offset.toString() });
}

async function loadOffset(table: Table): Promise<bigint> {
  const { rows } = await client.query<{ next_offset: string }>(
    'SELECT next_offset FROM progress WHERE table_name = $1',
    [table],
  );
  return BigInt(rows[0]?.next_offset ?? 0);
}

/** The batches of a file behind what was done: read from the start, since a row is all that this program knows of a file. */
async function* batchesBehind<Row>(
  table: Table,
  source: Source<Row>,
  at: AtPoint,
): AsyncGenerator<SourceBatch<Row>> {
  await at('recover:before');
  const done = await loadOffset(table);
  await at('recover:after');
  tellParent({ news: 'claim', table, offset: done.toString() });
  const { signal } = new AbortController();
  for await (const assignment of source.assignments({ pipeline: table, signal })) {
    const reader = await assignment.open(new Map(), signal);
    for (;;) {
      const batch = await reader.read({ rows: commitRows[table] });
      if (batch === undefined) break;
      if (batch.next > done) yield behind(batch, done);
    }
    await reader.close();
  }
}

function behind<Row>(batch: SourceBatch<Row>, done: bigint): SourceBatch<Row> {
  const first = batch.offsets.findIndex((offset) => offset >= done);
  return { ...batch, ...part(batch, first, batch.rows.length), identity: () => batch.identity() };
}

function part<Row>({ rows, offsets, ops }: SourceBatch<Row>, start: number, end: number) {
  const some = { rows: rows.slice(start, end), offsets: offsets.subarray(start, end) };
  return ops === undefined ? some : { ...some, ops: ops.subarray(start, end) };
}

type AtPoint = (point: CrashPoint) => Promise<void>;

/** What lets the parent say where this process stands still and is killed, at the same places as in `writer.ts`. */
function crashPoints(table: Table): AtPoint {
  const onPoint = table === stopDuring ? stopWhereAsked() : () => undefined;
  const counts = new Map<CrashPoint, number>();
  return async (point) => {
    const count = (counts.get(point) ?? 0) + 1;
    counts.set(point, count);
    await onPoint(point, count);
  };
}

async function inHalves<Row>(
  batch: SourceBatch<Row>,
  write: (some: Pick<SourceBatch<Row>, 'rows' | 'offsets' | 'ops'>) => Promise<void>,
  at: AtPoint,
): Promise<void> {
  const middle = batch.rows.length >> 1;
  await at('write:before');
  await write(part(batch, 0, middle));
  await at('write:between');
  await write(part(batch, middle, batch.rows.length));
  await at('write:after');
}

async function commit(at: AtPoint): Promise<void> {
  await at('prepare:before');
  await at('prepare:after');
  await at('commit:before');
  const committed = client.query('COMMIT');
  await at('commit:during');
  await committed;
  await at('commit:after');
}
