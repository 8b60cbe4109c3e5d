/** Behind a real PgBouncer: a pool by session works, one by transaction is refused. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { iterableSource, pipeline, rowSchema, t } from '@eos/core';
import {
  describeWithService,
  missingForPgBouncer,
  startPgBouncer,
  type PgBouncer,
  type PgBouncerOptions,
  type TestDatabase,
} from '@eos/services';
import { Client } from 'pg';
import { commit, failureOf, withDatabase, type Fixture } from '../database.testing.js';
import { postgresSink } from '../index.js';

const schema = rowSchema({ id: t.int64(), name: t.string(), at: t.timestamp() });
const ROWS = 300;
const items = Array.from({ length: ROWS }, (_, id) => ({
  id: id % 100,
  name: `n\u00e9${id}`,
  at: BigInt(id),
}));

const missing = missingForPgBouncer();
const isInCi = !['', '0', 'false', undefined].includes(process.env['CI']);
if (missing !== undefined) process.stderr.write(`without PgBouncer: ${missing}\n`);
// In CI what is missing fails: starting it says so.
const describePooled = missing === undefined || isInCi ? describe : describe.skip;

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  async function behind(
    pool: Pick<PgBouncerOptions, 'poolMode' | 'poolSize'>,
    work: (fixture: Fixture, url: string) => Promise<void>,
  ): Promise<void> {
    await withDatabase(getService(), async (fixture) => {
      const bouncer: PgBouncer = await startPgBouncer({ postgres: fixture.database, ...pool });
      try {
        await work(fixture, bouncer.urlOf(fixture.database));
      } finally {
        await bouncer.stop();
      }
    });
  }

  const run = async (connection: string, mode: 'append' | 'upsert') => {
    const keyed = mode === 'upsert' ? { mode, key: ['id'] } : { mode };
    const sink = postgresSink({ connection, table: 'items', schema, ...keyed });
    return await pipeline({
      id: 'pooled',
      source: iterableSource({ items }),
      sinks: { items: sink },
      trigger: { rows: 20 },
      retry: { attempts: 1 },
    }).run({ signals: [] });
  };

  /** Others that use the pool all the time. */
  async function withTraffic(url: string, work: () => Promise<void>): Promise<void> {
    let isOver = false;
    const clients = await Promise.all(
      [0, 1].map(async () => {
        const client = new Client({ connectionString: url });
        client.on('error', () => undefined);
        await client.connect();
        return client;
      }),
    );
    const busy = clients.map(async (client) => {
      while (!isOver) await client.query('SELECT pg_sleep(0.001)');
    });
    try {
      await work();
    } finally {
      isOver = true;
      await Promise.allSettled(busy);
      await Promise.allSettled(clients.map((client) => client.end()));
    }
  }

  describePooled('PgBouncer', () => {
    test.each(['append', 'upsert'] as const)(
      'pool_mode = session: a run from end to end, and another after it (%s)',
      async (mode) => {
        await behind({ poolMode: 'session' }, async (fixture, url) => {
          expect(await run(url, mode)).toMatchObject({ reason: 'end', rows: ROWS, recoveries: 0 });
          expect(await run(url, mode)).toMatchObject({ reason: 'end', rows: 0 });
          const [found] = await fixture.query(
            `SELECT count(*)::int, count(DISTINCT id)::int AS ids, max(name) FROM items`,
          );
          const expected =
            mode === 'append' ? { count: ROWS, max: 'n\u00e999' } : { count: 100, max: 'n\u00e9299' };
          expect(found).toEqual({ ...expected, ids: 100 });
        });
      },
      60_000,
    );

    test('pool_mode = session: a successor takes over, and ends no connection that the pool has lent', async () => {
      await behind({ poolMode: 'session' }, async (fixture, url) => {
        const options = { connection: url, table: 'items', schema, lockTimeoutMs: 50 };
        const first = await (await fixture.open(options)).recover(['0']);
        const second = await (await fixture.open(options)).recover(['0']);
        expect((await failureOf(commit(first, { rows: items.slice(0, 1) }))).code).toBe('EOS_FENCED');
        await commit(second, { rows: items.slice(0, 2) });
        expect(await fixture.column('SELECT count(*)::int FROM items')).toEqual([2]);
        expect(await fixture.column('SELECT backends FROM eos.claims')).toEqual([[]]);
      });
    }, 60_000);

    test.each([
      { poolMode: 'transaction', poolSize: 2 },
      { poolMode: 'transaction', poolSize: 20 },
      { poolMode: 'statement', poolSize: 5 },
    ] as const)(
      'pool_mode = $poolMode with $poolSize connections is refused when the sink is opened, busy or idle',
      async (pool) => {
        await behind(pool, async (fixture, url) => {
          const open = async () => {
            const error = await failureOf(fixture.open({ connection: url, table: 'items', schema }));
            expect(error).toMatchObject({ code: 'EOS_CONFIG', details: { option: 'connection' } });
          };
          for (let times = 0; times < 5; times += 1) await open();
          await withTraffic(url, async () => {
            for (let times = 0; times < 5; times += 1) await open();
          });
          expect(await fixture.column(`SELECT to_regclass('items')::text`)).toEqual([null]);
        });
      },
      60_000,
    );
  });

  test('without a pooler nothing is taken for one', async () => {
    await withDatabase(getService(), async (fixture) => {
      const database: Pick<TestDatabase, 'url'> = fixture.database;
      expect(await run(database.url, 'append')).toMatchObject({ rows: ROWS });
      expect(await fixture.column('SELECT jsonb_array_length(backends) FROM eos.claims')).toEqual([2]);
    });
  }, 60_000);
});
