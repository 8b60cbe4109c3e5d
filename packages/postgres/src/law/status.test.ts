import type { ConfiguredOptions } from '@eos/core';
import { describeWithService } from '@eos/services';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { commit, context, withDatabase } from '../database.testing.js';
import { eosPackage, postgresSink } from '../index.js';

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  const OBJECTS = `SELECT relname FROM pg_class WHERE relnamespace IN
    (SELECT oid FROM pg_namespace WHERE nspname IN ('eos', 'public')) ORDER BY 1`;

  test('of a database that Eos never saw is empty, and makes nothing', async () => {
    await withDatabase(getService(), async (fixture) => {
      const connector = postgresSink({ connection: fixture.database.url, table: 'flights' });
      expect(await connector.abilities?.status?.(context)).toEqual(new Map());
      expect(await fixture.column(OBJECTS)).toEqual([]);
      expect(await fixture.column(`SELECT nspname FROM pg_namespace WHERE nspname = 'eos'`)).toEqual([]);
    });
  });

  test('tells position, times and connection, and leaves claim and transaction alone', async () => {
    await withDatabase(getService(), async (fixture) => {
      await fixture.query('CREATE TABLE flights (id int)');
      const connector = postgresSink({ connection: fixture.database.url, table: 'flights' });
      const status = async () => (await connector.abilities?.status?.(context))?.get('0');
      const sink = await fixture.open({ table: 'flights' });
      const session = await sink.recover(['0']);

      const claimed = await status();
      expect(claimed?.position).toEqual(session.positions.get('0'));
      expect([claimed?.isConnected, claimed?.committedAt, claimed?.earlier]).toEqual([
        true,
        undefined,
        undefined,
      ]);

      await commit(session, { rows: [{ id: 1 }] });
      await commit(session, { rows: [{ id: 2 }] });
      const [first, last] = await fixture.column('SELECT committed_at FROM eos.positions ORDER BY epoch');
      const open = await session.begin();
      await open.write({ partition: '0', rows: [{ id: 3 }] });
      const committed = await status();
      expect(committed).toEqual({
        position: session.positions.get('0'),
        isConnected: true,
        committedAt: last,
        earlier: { committedAt: first, offset: 1n, epoch: 1n },
      });

      // The look has disturbed nothing: the transaction that was open goes on.
      await open.prepare();
      const from = session.positions;
      await open.commit({ from, to: new Map([['0', { offset: 3n, source: { file: 'a' } }]]) });
      expect(await fixture.column('SELECT id FROM flights ORDER BY 1')).toEqual([1, 2, 3]);

      await sink.close();
      await fixture.untilGone();
      expect((await status())?.isConnected).toBe(false);
      expect(await connector.abilities?.status?.({ ...context, sink: 'other' })).toEqual(new Map());
    });
  });

  test('needs no more than to read claims and positions', async () => {
    await withDatabase(getService(), async (fixture) => {
      await fixture.query('CREATE TABLE flights (id int)');
      const sink = await fixture.open({ table: 'flights' });
      await commit(await sink.recover(['0']), { rows: [{ id: 1 }] });
      const reader = `looks_${String(Date.now())}`;
      await fixture.query(`CREATE ROLE ${reader} LOGIN PASSWORD 'p'; GRANT USAGE ON SCHEMA eos TO ${reader};
        GRANT SELECT ON eos.claims, eos.positions TO ${reader}`);
      try {
        const connection = fixture.urlOf({ user: reader, password: 'p' });
        const connector = postgresSink({ connection, table: 'flights' });
        expect((await connector.abilities?.status?.(context))?.get('0')?.position.offset).toBe(1n);
      } finally {
        await fixture.query(`DROP OWNED BY ${reader}; DROP ROLE ${reader}`);
      }
    });
  });

  test('a file of configuration makes the same sink', async () => {
    await withDatabase(getService(), async (fixture) => {
      const connector = eosPackage.sinks?.['postgres']?.create(
        {
          connection: fixture.database.url,
          table: 'made',
          mode: 'upsert',
          key: ['id'],
          schema: { id: 'int64', note: 'string?' },
        },
        { folder: '/' },
      );
      expect(connector?.capabilities).toMatchObject({ changelog: 'upsert', key: ['id'] });
      const sink = await connector?.open(context);
      // The first claim makes what is missing.
      await sink?.recover(['0']);
      await sink?.close();
      expect(
        await fixture.column(`SELECT attname || CASE WHEN attnotnull THEN '!' ELSE '' END FROM pg_attribute
        WHERE attrelid = 'made'::regclass AND attnum > 0 ORDER BY attnum`),
      ).toEqual(['id!', 'note']);
    });
  });

  test('a file of configuration routes by a column', async () => {
    await withDatabase(getService(), async (fixture) => {
      const tables = {
        departures: { schema: { id: 'int64', kind: 'string' } },
        gone: { table: 'arrivals', schema: { id: 'int64' } },
      };
      const options = { connection: fixture.database.url, route: { by: 'kind', tables } };
      const create = (configured: ConfiguredOptions) => {
        const type = eosPackage.sinks?.['postgres'];
        if (type === undefined) throw new Error('there is no such sink');
        return type.create(configured, { folder: '/' });
      };
      const sink = await create(options).open(context);
      const session = await sink.recover(['0']);
      await commit(session, {
        rows: [
          { id: 1, kind: 'departures' },
          { id: 2, kind: 'gone' },
        ],
      });
      await sink.close();
      expect(await fixture.query('SELECT id::int, kind FROM departures')).toEqual([
        { id: 1, kind: 'departures' },
      ]);
      expect(await fixture.column('SELECT id::int FROM arrivals')).toEqual([2]);
      const wrong = {
        connection: fixture.database.url,
        route: { by: 'kind', tables: { a: { schema: { id: 'int' } } } },
      };
      expect(() => create(wrong)).toThrow(
        expect.objectContaining({
          code: 'EOS_CONFIG',
          details: { option: 'route.tables.a.schema', column: 'id' },
        }),
      );
      for (const [name, value] of Object.entries({ table: 'a', schema: { id: 'int64' } }))
        expect(() => create({ ...options, [name]: value })).toThrow(
          expect.objectContaining({ code: 'EOS_CONFIG', details: { option: name } }),
        );
      expect(() => create({ connection: fixture.database.url })).toThrow(
        expect.objectContaining({ code: 'EOS_CONFIG', details: { option: 'table' } }),
      );
    });
  });
});
