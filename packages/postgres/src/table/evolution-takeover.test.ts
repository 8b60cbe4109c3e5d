import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { rowSchema, t, type SinkTransaction } from '@eos/core';
import { describeWithService } from '@eos/services';
import {
  batchOf,
  commit,
  failureOf,
  prepared,
  rangeOf,
  withDatabase,
  type Fixture,
  type Row,
} from '../database.testing.js';

const before = rowSchema({ id: t.int64(), name: t.string() });
const after = rowSchema({ id: t.int64(), name: t.string(), note: t.string() });
const table = { table: 'items', schema: before, lockTimeoutMs: 200 } as const;
const grown = { ...table, schema: after, evolution: 'add-nullable' } as const;
const routed = {
  route: { by: () => 'items', tables: { items: { schema: after, evolution: 'add-nullable' } } },
  lockTimeoutMs: 200,
} as const;

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  const withItems = (work: (fixture: Fixture) => Promise<void>) => () =>
    withDatabase(getService(), async (fixture) => {
      await fixture.query('CREATE TABLE items (id bigint, name text)');
      await work(fixture);
    });

  /** A session with one row committed that stops in the middle of its next COPY, whose lock on the table the server keeps. */
  const hang = async (fixture: Fixture, partition = '0') => {
    const session = await (await fixture.open(table)).recover([partition]);
    const first = await session.begin();
    await first.write({ ...batchOf({ rows: [{ id: 1, name: 'committed' }] }), partition });
    await first.prepare();
    await first.commit(rangeOf(session, 1n, partition));
    const transaction: SinkTransaction<Row> = await session.begin();
    const rows = Array.from({ length: 200 }, (_, index) => ({ id: 2 + index, name: 'x'.repeat(1_000) }));
    await transaction.write({ ...batchOf({ rows }, 1), partition });
    await fixture.until(
      `EXISTS (SELECT FROM pg_stat_progress_copy WHERE datname = current_database() AND tuples_processed > 0)`,
    );
    return { session, transaction };
  };

  test.each([
    ['a table', grown],
    ['a table of a route', routed],
  ])(
    'an earlier session that hangs in the middle of a COPY does not keep columns from being added: %s',
    (_name, options) =>
      withItems(async (fixture) => {
        const { transaction } = await hang(fixture);
        const successor = await (await fixture.open(options)).recover(['0']);
        expect(successor.positions.get('0')).toMatchObject({ epoch: 1n, offset: 1n });
        await commit(successor, { rows: [{ id: 2, name: 'again', note: 'n' }] });
        // It wakes up, and finds what has become of it.
        expect((await failureOf(transaction.prepare())).code).toMatch(
          /^EOS_(UNAVAILABLE|FENCED|SESSION_DEAD)$/,
        );
        expect(await fixture.query('SELECT * FROM items ORDER BY id')).toEqual([
          { id: '1', name: 'committed', note: null },
          { id: '2', name: 'again', note: 'n' },
        ]);
        expect(await fixture.column('SELECT next_offset::int FROM eos.positions ORDER BY epoch')).toEqual([
          1, 2,
        ]);
      })(),
    60_000,
  );

  test.each([
    ['one of other partitions', { partition: '1', terminateBlocking: true }],
    ['any, where that is switched off', { partition: '0', terminateBlocking: false }],
  ])(
    'adding columns ends no session: %s',
    (_name, { partition, terminateBlocking }) =>
      withItems(async (fixture) => {
        const { session, transaction } = await hang(fixture, partition);
        const other = await fixture.open({ ...grown, terminateBlocking });
        expect(await failureOf(other.recover(['0']))).toMatchObject({
          code: 'EOS_UNAVAILABLE',
          retryable: true,
          message: expect.stringMatching(
            /"public"\."items" is locked by process \d+ \("eos orders\/flights"\)/,
          ),
        });
        await transaction.prepare();
        await transaction.commit(rangeOf(session, 201n, partition));
        expect(await fixture.column('SELECT count(*)::int FROM items')).toEqual([201]);
        const begun = await other.recover(['0']);
        await (await prepared(begun)).rollback();
        expect(await fixture.column('SELECT count(note)::int FROM items')).toEqual([0]);
      })(),
    60_000,
  );

  test(
    'a session that is fenced already ends nobody for its columns',
    withItems(async (fixture) => {
      const first = await (await fixture.open(table)).recover(['0']);
      const { session, transaction } = await hang(fixture);
      const fenced = await fixture.open(grown);
      const replacing = new Map([['0', { owners: new Set([first.owner]), epoch: 0n }]]);
      expect((await failureOf(fenced.recover(['0'], { replacing }))).code).toBe('EOS_FENCED');
      await transaction.prepare();
      await transaction.commit(rangeOf(session, 201n));
      expect(await fixture.column('SELECT count(*)::int FROM items')).toEqual([201]);
    }),
    60_000,
  );
});
