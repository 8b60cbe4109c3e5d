/**
 * The same work as `writer.ts`, done by hand with plain `pg`: rows in one transaction, the offset in another. Both orders are common,
 * and both are wrong. Rows first (flights): killed in between, it writes them again. Offset first (routes), as a consumer that
 * commits its offsets when it has read: killed in between, it never writes them. The files, of flights with rows first and of routes with the
 * offset first, come out as the tables do.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jsonArraySource, ndjsonSource, rowSchema, t, type Source, type SourceBatch } from '@eos/core';
import { stopWhereAsked, type CrashPoint } from '@eos/testkit';
import { Client } from 'pg';
import { leaveParent, obeyParent, readTask, tellParent } from './messages.js';
import { routeSchema, type RouteRow, type Table } from './tables.js';
import { isGone, unsafeFolder, type FileTable } from './unsafe-files.js';

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
await copyFlightsToFiles('parquet');
await copyFlightsToFiles('delta-flights');
await copyRoutesToFiles();
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
async function copyFlightsToFiles(table: 'parquet' | 'delta-flights'): Promise<void> {
  const source = jsonArraySource({ path: flightsFile, schema: fileSchema });
  await copyToFiles(table, source, async (batch, at, write) => {
    await inHalves(
      batch,
      (part) => write(lines(part, ({ row, offset }) => ({ source_offset: Number(offset), ...row }))),
      at,
    );
    await at('prepare:before');
    await at('prepare:after');
    await at('commit:before');
    const saved = saveOffset(table, batch.next);
    await at('commit:during');
    await saved;
    await at('commit:after');
  });
}

/** At most once: the offset first, then the files. */
async function copyRoutesToFiles(): Promise<void> {
  const source = ndjsonSource({ path: changelogFile, op: 'op', schema: routeSchema });
  await copyToFiles('delta-routes', source, async (batch, at, write) => {
    await saveOffset('delta-routes', batch.next);
    await at('prepare:before');
    await at('prepare:after');
    await at('commit:before');
    const written = inHalves(batch, (part) => write(lines(part, ({ row, op }) => ({ op, ...row }))), at);
    await at('commit:during');
    await written;
    await at('commit:after');
  });
}

async function copyToFiles<Row>(
  table: FileTable,
  source: Source<Row>,
  copy: (batch: SourceBatch<Row>, at: AtPoint, write: (text: string) => Promise<void>) => Promise<void>,
): Promise<void> {
  const at = crashPoints(table);
  const place = unsafeFolder(folder, table);
  await mkdir(place, { recursive: true });
  let count = 0;
  for await (const batch of batchesBehind(table, source, at)) {
    await at('begin:before');
    await at('begin:after');
    // In the order of their names, files are in the order of the source.
    await copy(batch, at, (text) =>
      writeFile(
        join(
          place,
          `${String(batch.next).padStart(20, '0')}-${String(count++).padStart(9, '0')}-${randomUUID()}.ndjson`,
        ),
        text,
      ),
    );
  }
}

interface FileLine<Row> {
  readonly row: Row;
  readonly offset: bigint | undefined;
  readonly op: number;
}

function lines<Row>(
  { rows, offsets, ops }: Pick<SourceBatch<Row>, 'rows' | 'offsets' | 'ops'>,
  toObject: (line: FileLine<Row>) => object,
): string {
  return rows
    .map(
      (row, index) => `${JSON.stringify(toObject({ row, offset: offsets[index], op: ops?.[index] ?? 0 }))}\n`,
    )
    .join('');
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
