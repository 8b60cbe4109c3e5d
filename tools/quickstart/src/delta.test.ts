import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readDeltaFlights, readDeltaRoutes } from './delta.js';
import { DELTA_PATHS, type DeltaName } from './tables.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "quickstart's-delta-"));
});
afterEach(() => rm(folder, { recursive: true }));

const txn = (name: DeltaName, field: string, version: number) => ({
  txn: { appId: `eos/1/${name}/delta/file.json/${field}`, version },
});
const position = (name: DeltaName, epoch: number, offset: number) => [
  txn(name, 'epoch', epoch),
  txn(name, 'offset', offset),
];
const add = (path: string) => ({ add: { path: encodeURIComponent(path), dataChange: true } });
const remove = (path: string) => ({ remove: { path: encodeURIComponent(path), dataChange: true } });
/** A claim finds epoch 0, and sets no offset. */
const claim = (name: DeltaName) => [txn(name, 'epoch', 0), txn(name, 'owner', 7)];

async function putLog(name: DeltaName, versions: Readonly<Record<number, readonly object[]>>): Promise<void> {
  const log = join(folder, DELTA_PATHS[name], '_delta_log');
  await mkdir(log, { recursive: true });
  for (const [version, actions] of Object.entries(versions)) {
    const text = actions.map((action) => `${JSON.stringify(action)}\n`).join('');
    await writeFile(join(log, `${version.padStart(20, '0')}.json`), text);
  }
}

/** A file of one row, made by DuckDB. */
async function putFile(name: DeltaName, path: string, columns: string): Promise<void> {
  const place = join(folder, DELTA_PATHS[name]);
  await mkdir(place, { recursive: true });
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const target = join(place, path).replaceAll("'", "''");
  await connection.run(`COPY (SELECT ${columns}) TO '${target}' (FORMAT parquet)`);
  connection.closeSync();
  instance.closeSync();
}

const flight = (offset: number) =>
  `${offset}::BIGINT source_offset, 1 delay, 2 distance, 3.5::DOUBLE AS time`;
const route = (flights: number) => `'A' origin, 'B' destination, ${flights} flights, 7 delay_minutes`;

describe('a Delta table', () => {
  test('holds the rows of the files that its log has added and not removed', async () => {
    await putFile('delta-routes', 'a 1.parquet', route(1));
    await putFile('delta-routes', 'b 2.parquet', route(2));
    await putFile('delta-routes', 'stray.parquet', route(9));
    await putLog('delta-routes', {
      0: claim('delta-routes'),
      1: [...position('delta-routes', 1, 40), add('a 1.parquet')],
      2: [txn('delta-routes', 'owner', 8)],
      3: [...position('delta-routes', 2, 80), remove('a 1.parquet'), add('b 2.parquet')],
    });
    expect(await readDeltaRoutes(folder)).toEqual({
      rows: [['A-B', '2 7']],
      position: { offset: 80, commits: 2 },
    });
  });

  test('of nobody yet holds nothing', async () => {
    expect(await readDeltaFlights(folder)).toEqual({ rows: [], position: undefined });
  });

  test.each<[string, Readonly<Record<number, readonly object[]>>, RegExp]>([
    ['a gap', { 0: claim('delta-flights'), 2: position('delta-flights', 1, 40) }, /has no version 1/],
    ['rows without a position', { 0: claim('delta-flights'), 1: [add('a.parquet')] }, /version 1 .* refused/],
    [
      'an epoch twice',
      {
        0: claim('delta-flights'),
        1: [...position('delta-flights', 1, 40), add('a.parquet')],
        2: [...position('delta-flights', 1, 80), add('b.parquet')],
      },
      /version 2 .* refused/,
    ],
    [
      'a position that goes back',
      {
        0: claim('delta-flights'),
        1: [...position('delta-flights', 1, 40), add('a.parquet')],
        2: [...position('delta-flights', 2, 20), add('b.parquet')],
      },
      /version 2 .* refused/,
    ],
  ])('is refused with %s', async (_, versions, message) => {
    await putFile('delta-flights', 'a.parquet', flight(1));
    await putFile('delta-flights', 'b.parquet', flight(40));
    await putLog('delta-flights', versions);
    await expect(readDeltaFlights(folder)).rejects.toThrow(message);
  });
});
