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

describe('append', () => {
  test('rows and position appear together', async () => {
    const connector = postgresSink({ connection: server.url, table: 'Flights', schema });
    const sink = await connector.open({ pipeline: 'orders', sink: 'flights' });
    const session = await sink.recover(['0']);
    const transaction = await session.begin();
    await transaction.write({ partition: '0', rows: [{ id: 1n, note: 'a\tb\\N' }, { id: 2 }] });
    await transaction.prepare();
    expect((await client.query('SELECT * FROM "Flights"')).rows).toEqual([]);
    await transaction.commit({ from: session.positions, to: advance(2n) });
    expect((await client.query('SELECT * FROM "Flights"')).rows).toEqual([
      { id: '1', note: 'a\tb\\N' },
      { id: '2', note: null },
    ]);
    const positions = await sink.positions();
    expect(positions).toEqual(session.positions);
    await sink.close();
  });
});
