/** Other engines read what upserts leave, and we read what they write. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Op, rowSchema, t, type SinkSession } from '@eos/core';
import { describeWithPython, type Python } from '@eos/services';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { deltaSink, DeltaTable, type Condition } from '../index.js';

const schema = rowSchema({
  id: t.int64(),
  city: t.string(),
  amount: t.decimal(12, 2).nullable(),
  name: t.string().nullable(),
});
interface Row {
  readonly id: bigint;
  readonly city: string;
  readonly amount?: string | null;
  readonly name?: string | null;
}

const CITIES = ['Köln/1', 'a=b&c?d#e', '100% of it', '😀'];
/** The reader of change feeds of delta-rs 1.6 does not decode paths: it finds no file in a folder that needs a `%`. */
const PLAIN_CITIES = ['Bonn', 'Ulm', 'Graz'];

/** 30 commits of upserts and deletes; keys move from partition to partition. */
async function writeChanges(
  session: SinkSession<Row>,
  cities: readonly string[],
): Promise<ReadonlyMap<bigint, Row>> {
  const rows = new Map<bigint, Row>();
  for (let version = 0; version < 30; version++) {
    const changes = Array.from({ length: 20 }, (_, index) => {
      const id = BigInt((version * 7 + index * 3) % 60);
      const city = cities[(version + index) % cities.length] ?? '';
      const op = index % 6 === 5 ? Op.delete : Op.updateAfter;
      return {
        op,
        row: { id, city, amount: `${version}.${10 + index}`, name: index % 4 === 0 ? null : `n${version}` },
      };
    });
    for (const { op, row } of changes) {
      rows.delete(row.id);
      if (op === Op.updateAfter) rows.set(row.id, row);
    }
    const transaction = await session.begin();
    const ops = Uint8Array.from(changes, ({ op }) => op);
    await transaction.write({ rows: changes.map(({ row }) => row), ops, partition: '0' });
    await transaction.prepare();
    const to = new Map([['0', { offset: BigInt(version + 1), source: {} }]]);
    await transaction.commit({ from: session.positions, to });
  }
  return rows;
}

function shown(rows: Iterable<Readonly<Record<string, unknown>> | Row>): readonly string[] {
  return [...rows]
    .map((row) =>
      Object.entries(row)
        .map(([name, value]) => `${name}=${String(value ?? '')}`)
        .sort()
        .join(),
    )
    .sort();
}

const PYTHON = `
import decimal, datetime
def text(value):
    if value is None: return ''
    return format(value, 'f') if isinstance(value, decimal.Decimal) else str(value)
def shown(rows):
    return sorted(','.join(sorted(f'{name}={text(value)}' for name, value in row.items() if name in NAMES)) for row in rows)
NAMES = ['id', 'city', 'amount', 'name']
def delta_rs(path):
    from deltalake import DeltaTable, QueryBuilder
    import pyarrow as pa
    found = QueryBuilder().register('t', DeltaTable(path)).execute('select * from t')
    return shown(pa.table(found).to_pylist())
def feed(path):
    from deltalake import DeltaTable
    import pyarrow as pa
    found = pa.table(DeltaTable(path).load_cdf(starting_version=0)).to_pylist()
    counts = {}
    for row in found:
        key = shown([row])[0]
        counts[key] = counts.get(key, 0) + (1 if row['_change_type'] in ('insert', 'update_postimage') else -1)
    assert all(count >= 0 for count in counts.values()), counts
    return sorted(key for key, count in counts.items() for _ in range(count))
`;
const DUCKDB = `${PYTHON}
def main(input):
    import os, duckdb, duckdb_extension_delta
    folder = os.path.join(list(duckdb_extension_delta.__path__)[0], 'extensions')
    extension = next(os.path.join(found, name) for found, _, names in os.walk(folder) for name in names if name.endswith('.duckdb_extension'))
    connection = duckdb.connect()
    connection.execute(f"LOAD '{extension}'")
    rows = connection.sql(f"select id, city, amount, name from delta_scan('{input['path']}')")
    return shown([dict(zip(NAMES, row)) for row in rows.fetchall()])
`;

async function withFolder(work: (root: string) => Promise<void>): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'eos-delta-engines-'));
  try {
    await work(root);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function ownRows(
  folder: string,
  where: readonly Condition[] = [],
): Promise<Readonly<Record<string, unknown>>[]> {
  const table = await DeltaTable.open({ folder });
  const found: Readonly<Record<string, unknown>>[] = [];
  for await (const rows of table.rows({ where })) found.push(...rows);
  await table.close();
  return found;
}

const MEANS = [
  ['copy-on-write', CITIES, {}],
  ['deletion vectors', CITIES, { 'delta.enableDeletionVectors': 'true' }],
  ['copy-on-write with a change data feed', PLAIN_CITIES, { 'delta.enableChangeDataFeed': 'true' }],
] as const;

describeWithPython({ describe, beforeAll, afterAll }, ['deltalake', 'pyarrow', 'duckdb'], (getPython) => {
  describe('upserts', () => {
    test.each(MEANS)(
      'by %s are what delta-rs and DuckDB read',
      async (_means, cities, properties) => {
        await withFolder(async (root) => {
          const folder = join(root, 'table');
          const options = { folder, schema, mode: 'upsert', key: ['id'], partitionBy: ['city'] } as const;
          const sink = await deltaSink<Row>({
            ...options,
            properties: { ...properties, 'delta.checkpointInterval': '10' },
          }).open({
            pipeline: 'p',
            sink: 's',
          });
          const expected = shown((await writeChanges(await sink.recover(['0']), cities)).values());
          await sink.close();
          expect(shown(await ownRows(folder))).toEqual(expected);
          const python = getPython();
          const main = (call: string) => `${PYTHON}\ndef main(input): return ${call}(input['path'])`;
          expect(await python.run(main('delta_rs'), { input: { path: folder } })).toEqual(expected);
          expect(await python.run(DUCKDB, { input: { path: folder } })).toEqual(expected);
          if ('delta.enableChangeDataFeed' in properties)
            expect(await python.run(main('feed'), { input: { path: folder } })).toEqual(expected);
        });
      },
      120_000,
    );
  });

  describe('tables of delta-rs', () => {
    test('are read by us: nested types, odd partitions, checkpoints, updates and deletes', async () => {
      await withFolder(async (root) => {
        const path = join(root, 'table');
        const expected = await writeWithDeltaRs(getPython(), path);
        const rows = await ownRows(path);
        expect(rows.map((row) => JSON.stringify(row, plain)).sort()).toEqual(expected);
        const some = await ownRows(path, [
          { column: 'id', from: 10n, to: 40n },
          { column: 'city', in: ['a=b&c?d#e'] },
        ]);
        const chosen = rows.filter(
          ({ id, city }) => city === 'a=b&c?d#e' && Number(id) >= 10 && Number(id) <= 40,
        );
        expect(some.map(({ id }) => id).sort()).toEqual(chosen.map(({ id }) => id).sort());
        expect(some.length).toBeGreaterThan(0);
        const table = await DeltaTable.open({ folder: path, version: 0 });
        expect(table.schema).toBeUndefined();
        expect((await table.files()).reduce((sum, file) => sum + (file.rows ?? 0), 0)).toBe(20);
        await table.close();
      });
    }, 120_000);
  });
});

function plain(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Map) return Object.fromEntries(value) as unknown;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return value;
}

async function writeWithDeltaRs(python: Python, path: string): Promise<unknown> {
  return await python.run(
    `
import pyarrow as pa, decimal, datetime, json
from deltalake import DeltaTable, write_deltalake
CITIES = ['Köln/1', 'a=b&c?d#e', '100% of it', None]
SCHEMA = pa.schema([
  ('id', pa.int64()), ('city', pa.string()), ('price', pa.decimal128(20, 3)), ('ratio', pa.float32()), ('tiny', pa.int8()),
  ('day', pa.date32()), ('at', pa.timestamp('us', 'UTC')), ('raw', pa.binary()),
  ('point', pa.struct([('x', pa.int32()), ('y', pa.string())])),
  ('tags', pa.list_(pa.string())), ('lists', pa.list_(pa.list_(pa.int64()))),
  ('weights', pa.map_(pa.string(), pa.int64())),
])
def row(n):
    if n % 7 == 6: return { 'id': n, 'city': CITIES[n % 4] }
    return {
        'id': n, 'city': CITIES[n % 4], 'price': decimal.Decimal(n) + decimal.Decimal('0.125'), 'ratio': n / 4, 'tiny': n - 50,
        'day': datetime.date(2024, 2, 1 + n % 28), 'at': datetime.datetime(2024, 1, 1, 0, 0, n % 60, 123456, datetime.timezone.utc),
        'raw': bytes([n, 255]), 'point': None if n % 5 == 0 else { 'x': n, 'y': None if n % 3 == 0 else 'ü' },
        'tags': [] if n % 4 == 0 else ['a', None], 'lists': [[n], [], None], 'weights': { 'a': n, 'b': None },
    }
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
def plain(name, value):
    if value is None: return None
    if name in ('id',): return str(value)
    if name == 'lists': return [None if each is None else [str(one) for one in each] for each in value]
    if name == 'weights': return { key: None if each is None else str(each) for key, each in value }
    if isinstance(value, decimal.Decimal): return format(value, 'f')
    if isinstance(value, datetime.datetime): return str((value - EPOCH) // datetime.timedelta(microseconds=1))
    if isinstance(value, datetime.date): return value.isoformat()
    if isinstance(value, bytes): return value.hex()
    if name == 'ratio' and value == int(value): return int(value)
    return value
def main(input):
    path = input['path']
    for start in range(0, 100, 20):
        data = pa.Table.from_pylist([row(n) for n in range(start, start + 20)], schema=SCHEMA)
        write_deltalake(path, data, mode='append', partition_by=['city'])
    table = DeltaTable(path)
    table.delete('id % 10 = 3')
    table.create_checkpoint()
    DeltaTable(path).update(predicate='id = 17', updates={ 'tiny': '100' })
    write_deltalake(path, pa.Table.from_pylist([row(120)], schema=SCHEMA), mode='append')
    found = DeltaTable(path).to_pyarrow_table().to_pylist()
    names = [field.name for field in DeltaTable(path).schema().fields]
    return sorted(json.dumps({ name: plain(name, one[name]) for name in names }, ensure_ascii=False, separators=(',', ':')) for one in found)
`,
    { input: { path } },
  );
}
