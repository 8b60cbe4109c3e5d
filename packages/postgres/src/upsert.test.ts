import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { rowSchema, t, type Advances } from '@eos/core';
import { startPostgres, type PostgresServer } from '@eos/services';
import { Client } from 'pg';
import { postgresSink } from './index.js';

let server: PostgresServer;
let client: Client;

beforeAll(async () => {
  server = await startPostgres();
  client = new Client({ connectionString: server.url });
  client.on('error', () => undefined);
  await client.connect();
}, 60_000);

afterAll(async () => {
  await client.end();
  await server.stop();
});

const schema = rowSchema({ id: t.int64(), note: t.string().nullable() });
const advance = (offset: bigint): Advances => new Map([['0', { offset, source: { file: 'a', size: '1' } }]]);

describe('upsert', () => {
  test('last change wins, across batches', async () => {
    const connector = postgresSink({
      connection: server.url,
      table: 'Flights',
      mode: 'upsert',
      key: ['id'],
      schema,
    });
    const sink = await connector.open({ pipeline: 'orders', sink: 'flights' });
    const session = await sink.recover(['0']);
    let transaction = await session.begin();
    await transaction.write({
      partition: '0',
      rows: [{ id: 1n, note: 'a\tb\\N' }, { id: 2 }, { id: 1, note: 'x' }],
    });
    await transaction.write({
      partition: '0',
      rows: [{ id: 3n, note: 'a\tb\\N' }, { id: 2, note: 'y' }, { id: 4 }],
      ops: Uint8Array.of(0, 2, 3),
    });
    await transaction.prepare();
    await transaction.commit({ from: session.positions, to: advance(2n) });
    expect((await client.query('SELECT * FROM "Flights" ORDER BY id')).rows).toEqual([
      { id: '1', note: 'x' },
      { id: '2', note: 'y' },
      { id: '3', note: 'a\tb\\N' },
    ]);
    transaction = await session.begin();
    await transaction.write({
      partition: '0',
      rows: [{ id: 1n }, { id: 5 }, { id: 2 }],
      ops: Uint8Array.of(3, 0, 1),
    });
    await transaction.prepare();
    await transaction.commit({ from: session.positions, to: advance(3n) });
    expect((await client.query('SELECT * FROM "Flights" ORDER BY id')).rows).toEqual([
      { id: '3', note: 'a\tb\\N' },
      { id: '5', note: null },
    ]);
    await sink.close();
  });
});
