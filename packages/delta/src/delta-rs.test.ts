/** delta-rs as a reader and writer that is not ours: it reads what we write, we write to what it made, and both write in turn. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rowSchema, t, type RowInput, type SinkConnector, type SinkSession } from '@eos/core';
import { localObjectStore } from '@eos/object-store';
import { describeWithPython, type Python } from '@eos/services';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { deltaSink } from './index.js';

const FIRST = {
  id: t.int64(),
  place: t.string().nullable(),
  day: t.date().nullable(),
  flag: t.boolean().nullable(),
  small: t.int32().nullable(),
  ratio: t.float64().nullable(),
  amount: t.decimal(20, 3).nullable(),
  name: t.string().nullable(),
  raw: t.bytes().nullable(),
  moment: t.timestamp().nullable(),
  document: t.json().nullable(),
  reference: t.uuid().nullable(),
};
const firstSchema = rowSchema(FIRST);
const evolvedSchema = rowSchema({ ...FIRST, added: t.decimal(38, 10).nullable() });
type Row = RowInput<typeof evolvedSchema>;

const PLACES = ['Köln/1', 'a=b&c?d#e', '100% of it', ' both ends ', 'x:y', 'null', '😀', '__', '.', null];

/** A row that is a function of its id; one in five is of nulls. */
function rowOf(id: number, isEvolved: boolean): Row {
  const place = PLACES[id % PLACES.length];
  if (id % 5 === 4) return { id: BigInt(id), place };
  return {
    id: BigInt(id),
    place,
    day: `20${String(10 + (id % 80))}-02-28`,
    flag: id % 2 === 0,
    small: 7 - id,
    ratio: id / 3,
    amount: `${id}.125`,
    name: `row ${id} "quoted" \\ ü`,
    raw: Uint8Array.of(id % 256, 0, 255),
    moment: 1_700_000_000_123_456n + BigInt(id),
    document: { id, list: [null, 'ä'] },
    reference: `123e4567-e89b-12d3-a456-${String(id).padStart(12, '0')}`,
    ...(isEvolved ? { added: `${id}.0000000001` } : {}),
  };
}

/** As the script below shows a row. */
function shown(row: Row): Record<string, unknown> {
  const { id, moment, raw, document, ...others } = row;
  const all: Record<string, unknown> = {
    ...others,
    id: String(id),
    moment: moment === undefined ? null : String(moment),
    raw: raw === undefined || raw === null ? null : Buffer.from(raw).toString('hex'),
    document: document === undefined ? null : JSON.stringify(document),
  };
  return Object.fromEntries(
    evolvedSchema.names.filter((name) => (all[name] ?? null) !== null).map((name) => [name, all[name]]),
  );
}

const READ = `
from deltalake import DeltaTable
import datetime, decimal
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
def plain(name, value):
    if isinstance(value, decimal.Decimal): return format(value, 'f')
    if isinstance(value, datetime.datetime): return str((value - EPOCH) // datetime.timedelta(microseconds=1))
    if isinstance(value, datetime.date): return value.isoformat()
    if name == 'id': return str(value)
    return value
def rows(path, version):
    table = DeltaTable(path, version=version)
    found = table.to_pyarrow_table().to_pylist()
    return [{ name: plain(name, value) for name, value in row.items() if value is not None } for row in found]
`;

async function read(python: Python, path: string, version: number): Promise<unknown> {
  const script = `${READ}
def main(input): return rows(input['path'], input['version'])`;
  const found = (await python.run(script, { input: { path, version } })) as { id: string }[];
  return found.sort((left, right) => Number(left.id) - Number(right.id));
}

function expected(ids: number, evolvedFrom = Infinity): Record<string, unknown>[] {
  return Array.from({ length: ids }, (_, id) => shown(rowOf(id, id >= evolvedFrom)));
}

async function append(session: SinkSession<Row>, count: number, isEvolved: boolean): Promise<void> {
  const start = Number(session.positions.get('0')?.offset ?? 0n);
  const transaction = await session.begin();
  const rows = Array.from({ length: count }, (_, index) => rowOf(start + index, isEvolved));
  await transaction.write({ partition: '0', rows });
  await transaction.prepare();
  const offset = BigInt(start + count);
  const to = new Map([['0', { offset, source: { kind: 'test', offset: offset.toString() } }]]);
  await transaction.commit({ from: session.positions, to });
}

async function withFolder(work: (root: string) => Promise<void>): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'eos-delta-rs-'));
  try {
    await work(root);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

function sinkIn(root: string, isEvolved: boolean): SinkConnector<Row> {
  const store = localObjectStore({ root });
  const options = { store, path: 'table', partitionBy: ['place', 'day'] };
  const properties = { 'delta.checkpointInterval': '10' };
  return isEvolved
    ? deltaSink({ ...options, schema: evolvedSchema, evolution: 'add-nullable' })
    : deltaSink({ ...options, schema: firstSchema, properties });
}

const CONTEXT = { pipeline: 'flights', sink: 'delta' };

describeWithPython({ describe, beforeAll, afterAll }, ['deltalake', 'pyarrow'], (getPython) => {
  test(
    'reads every version of a table of ours: all types, odd partitions, checkpoints, an added column, positions',
    () =>
      withFolder(async (root) => {
        const python = getPython();
        const path = join(root, 'table');
        for (const isEvolved of [false, true]) {
          const sink = await sinkIn(root, isEvolved).open(CONTEXT);
          const session = await sink.recover(['0']);
          for (let commit = 0; commit < 15; commit++) await append(session, 7, isEvolved);
          await sink.close();
        }
        // Versions 0 and 16 are claims.
        expect(await read(python, path, 3)).toEqual(expected(21));
        expect(await read(python, path, 15)).toEqual(expected(105));
        expect(await read(python, path, 31)).toEqual(expected(210, 105));
        const script = `
from deltalake import DeltaTable
def main(input):
    table = DeltaTable(input)
    read = lambda field: str(table.transaction_version('eos/1/flights/delta/0/' + field))
    return { 'offset': read('offset'), 'epoch': read('epoch'), 'version': table.version() }`;
        expect(await python.run(script, { input: path })).toEqual({
          offset: '210',
          epoch: '30',
          version: 31,
        });
        const positions = await sinkIn(root, true).abilities?.status?.(CONTEXT);
        expect(positions?.get('0')?.position).toMatchObject({ epoch: 30n, offset: 210n });
      }),
    120_000,
  );

  test(
    'makes a table that we append to, each in turn, with checkpoints of both',
    () =>
      withFolder(async (root) => {
        const python = getPython();
        const path = join(root, 'table');
        const script = `
from deltalake import DeltaTable, write_deltalake
import pyarrow as pa
def main(input):
    table = pa.table({ 'id': pa.array(input['ids'], pa.int64()), 'city': pa.array(['Ulm'] * len(input['ids'])) })
    write_deltalake(input['path'], table, mode='append', partition_by=['city'])
    if input['checkpoint']: DeltaTable(input['path']).create_checkpoint()`;
        const theirs = (ids: number[], checkpoint = false) =>
          python.run(script, { input: { path, ids, checkpoint } });
        await theirs([1000, 1001]);
        const sink = await deltaSink<{ id: bigint; city: string }>({
          store: localObjectStore({ root }),
          path: 'table',
        }).open(CONTEXT);
        const session = await sink.recover(['0']);
        for (let turn = 0; turn < 4; turn++) {
          const transaction = await session.begin();
          await transaction.write({ partition: '0', rows: [{ id: BigInt(turn), city: 'Köln/1' }] });
          await transaction.prepare();
          // They commit in between: ours goes behind.
          await theirs([2000 + turn], turn === 1);
          const to = new Map([['0', { offset: BigInt(turn + 1), source: { kind: 'test' } }]]);
          await transaction.commit({ from: session.positions, to });
        }
        await sink.close();
        const found = await python.run(
          `
from deltalake import DeltaTable
def main(input): return sorted([row['id'], row['city']] for row in DeltaTable(input).to_pyarrow_table().to_pylist())`,
          { input: path },
        );
        const all = [
          ...[0, 1, 2, 3].map((id) => [id, 'Köln/1']),
          ...[1000, 1001, 2000, 2001, 2002, 2003].map((id) => [id, 'Ulm']),
        ];
        expect(found).toEqual(all);
      }),
    120_000,
  );

  test.each([
    [
      'a constraint',
      `DeltaTable(input).alter.add_constraint({ 'positive': 'id >= 0' })`,
      { constraint: 'positive' },
    ],
    [
      'a retention that drops positions',
      `DeltaTable(input).alter.set_table_properties({ 'delta.setTransactionRetentionDuration': 'interval 7 days' })`,
      { property: 'delta.setTransactionRetentionDuration' },
    ],
  ])('gives a table %s, and we refuse it by name', (_, change, details) =>
    withFolder(async (root) => {
      const script = `
from deltalake import DeltaTable, write_deltalake
import pyarrow as pa
def main(input):
    write_deltalake(input, pa.table({ 'id': pa.array([1], pa.int64()) }))
    ${change}`;
      await getPython().run(script, { input: join(root, 'table') });
      const connector = deltaSink({ store: localObjectStore({ root }), path: 'table' });
      await expect(connector.open(CONTEXT)).rejects.toMatchObject({ code: 'EOS_SCHEMA', details });
    }),
  );
});
