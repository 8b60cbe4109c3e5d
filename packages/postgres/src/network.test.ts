import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { iterableSource, Op, pipeline, rowSchema, t } from '@eos/core';
import { describeWithService } from '@eos/services';
import { tcpProxy, type TcpProxy } from '@eos/testkit';
import { batchOf, commit, prepared, rangeOf, withDatabase, type Fixture } from './database.testing.js';
import { postgresSink, type PostgresSinkOptions } from './index.js';

const schema = rowSchema({ id: t.int64(), note: t.string().nullable() });
const append: Pick<PostgresSinkOptions, 'mode'> = { mode: 'append' };
const upsert: Pick<PostgresSinkOptions, 'mode' | 'key'> = { mode: 'upsert', key: ['id'] };
const items = Array.from({ length: 12 }, (_, id) => ({ id, note: 'x'.repeat(50) }));

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  const proxied = (work: (fixture: Fixture, proxy: TcpProxy, url: string) => Promise<void>) => () =>
    withDatabase(getService(), async (fixture) => {
      const proxy = await tcpProxy(fixture.database);
      const url = new URL(fixture.database.url);
      url.port = String(proxy.port);
      try {
        await work(fixture, proxy, url.href);
      } finally {
        await proxy.close();
      }
    });

  /** Cuts the connection at the nth chunk of a run that begins now, and says whether there was one. */
  async function runWithCut(
    proxy: TcpProxy,
    on: 'request' | 'answer',
    n: number,
    work: () => Promise<unknown>,
  ): Promise<boolean> {
    let seen = 0;
    const fault = proxy.arm({ on, do: 'cut', when: () => ++seen === n });
    await work();
    fault.disarm();
    return fault.hasStruck;
  }

  describe.each(['request', 'answer'] as const)('a connection that is reset at any %s', (on) => {
    test.each([
      ['append', append],
      ['upsert', upsert],
    ])(
      'ends in exactly once: %s',
      (mode, options) =>
        proxied(async (fixture, proxy, url) => {
          const run = async (id: string, name: string) => {
            const sinks = { flights: postgresSink({ connection: url, table: name, schema, ...options }) };
            const trigger = { rows: 4 };
            const retry = { attempts: 5, initialMs: 1, maxMs: 5 };
            await pipeline({ id, source: iterableSource({ items }), sinks, trigger, retry }).run({
              signals: [],
            });
          };
          for (let n = 1; ; n += 1) {
            const name = `${mode}_${n}`;
            const hasStruck = await runWithCut(proxy, on, n, () => run(name, name));
            expect([n, await fixture.column(`SELECT id::int FROM ${name} ORDER BY id`)]).toEqual([
              n,
              items.map(({ id }) => id),
            ]);
            if (!hasStruck) break;
            if (n > 200) throw new Error('a run of three commits should take fewer chunks');
          }
        })(),
      120_000,
    );
  });

  test.each([
    ['append', append, 2],
    ['upsert', upsert, 2],
  ])('a commit takes few round trips: %s', (_mode, options, expected) =>
    proxied(async (fixture, proxy, url) => {
      const sink = await fixture.open({ connection: url, table: 'flights', schema, ...options });
      const session = await sink.recover(['0']);
      await commit(session, { rows: items });
      const trips = async (work: () => Promise<void>) => {
        const before = proxy.statistics().roundTrips;
        await work();
        return proxy.statistics().roundTrips - before;
      };
      // prepare, with the end of the rows and all that follows them, and the commit.
      expect(
        await trips(() => commit(session, { rows: items.map((row) => ({ ...row, id: row.id + 100 })) })),
      ).toBe(expected);
      const empty = async () => {
        const transaction = await session.begin();
        await transaction.prepare();
        await transaction.commit(rangeOf(session, 3n));
      };
      expect(await trips(empty)).toBe(1);
      if (options.mode === 'append') return;
      const changes = {
        rows: items,
        ops: items.map((_, index) => (index % 2 === 0 ? Op.delete : Op.updateAfter)),
      };
      expect(await trips(() => commit(session, changes))).toBe(expected);
    })(),
  );

  test(
    'rows are sent while the commit before them is under way',
    proxied(async (fixture, proxy, url) => {
      const sink = await fixture.open({ connection: url, table: 'flights', schema });
      const session = await sink.recover(['0']);
      const first = await prepared(session, { rows: items });
      const held = proxy.arm({ on: 'request', do: 'hold', when: (chunk) => chunk.includes('COMMIT') });
      const committing = first.commit(rangeOf(session, 1n));
      await held.struck;
      const second = await session.begin();
      const rows = Array.from({ length: 20_000 }, (_, id) => ({ id, note: 'x'.repeat(100) }));
      await second.write(batchOf({ rows }));
      await fixture.until(
        `EXISTS (SELECT FROM pg_stat_progress_copy WHERE datname = current_database() AND tuples_processed > 0)`,
      );
      await held.release();
      await committing;
      await second.prepare();
      await second.commit(rangeOf(session, 2n));
      expect(await fixture.column('SELECT count(*)::int FROM flights')).toEqual([20_012]);
    }),
  );
});
