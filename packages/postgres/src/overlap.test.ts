/** What may run at the server while the transaction before is prepared, and what must wait. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { rowSchema, t, type SinkSession } from '@eos/core';
import { describeWithService } from '@eos/services';
import type { Client } from 'pg';
import { setTimeout as delay } from 'node:timers/promises';
import { batchOf, rangeOf, withDatabase, type Fixture, type Row } from './database.testing.js';

const schema = rowSchema({ id: t.int64(), note: t.string() });
/** More than a block: they are sent at once where they may be. */
const LONG = 'x'.repeat(100_000);

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  const run = (work: (fixture: Fixture) => Promise<void>) => () => withDatabase(getService(), work);

  /** Prepares `ids` while `rival` holds the first of them, and begins a transaction of `next`. */
  async function blocked(
    session: SinkSession<Row>,
    rival: Client,
    ids: readonly number[],
    next: readonly number[],
  ) {
    await rival.query(`BEGIN; INSERT INTO flights VALUES (${ids[0]}, 'rival')`);
    const first = await session.begin();
    await first.write(batchOf({ rows: ids.map((id) => ({ id, note: 'first' })) }));
    const preparing = first.prepare();
    const second = await session.begin();
    await second.write(batchOf({ rows: next.map((id) => ({ id, note: LONG })) }, 10));
    return { first, preparing, second };
  }

  const sessionOf = async (fixture: Fixture, mode: 'append' | 'upsert') => {
    await fixture.query('CREATE TABLE flights (id bigint PRIMARY KEY, note text NOT NULL)');
    const options = { table: 'flights', schema, ...(mode === 'upsert' ? { mode, key: ['id'] } : {}) };
    return (await fixture.open(options)).recover(['0']);
  };

  const backendsOf = (fixture: Fixture, wait: string) =>
    fixture.column(`
      SELECT pid FROM pg_stat_activity
      WHERE ${wait} AND datname = current_database() AND application_name LIKE 'eos %'`);

  async function until(condition: () => Promise<boolean>): Promise<void> {
    while (!(await condition())) await delay(10);
  }

  describe('transactions that overlap', () => {
    test.each(['append', 'upsert'] as const)(
      'do not wait for each other: in %s, keys of both are locked in the order of the transactions',
      (mode) =>
        withDatabase(getService(), async (fixture) => {
          const session = await sessionOf(fixture, mode);
          const rival = await fixture.connect();
          const { first, preparing, second } = await blocked(session, rival, [1, 2], [2, 3]);
          await until(async () => (await backendsOf(fixture, `wait_event_type = 'Lock'`)).length === 1);
          await rival.query('ROLLBACK');
          // Had the second one been let in, it would hold key 2, and wait for the first one's commit.
          await preparing;
          await first.commit(rangeOf(session, 1n));
          const end = second.prepare().then(() => second.commit(rangeOf(session, 2n)));
          if (mode === 'append') await expect(end).rejects.toMatchObject({ code: 'EOS_ROW' });
          else await end;
          const notes = await fixture.column('SELECT note FROM flights ORDER BY id');
          expect(notes).toEqual(mode === 'append' ? ['first', 'first'] : ['first', LONG, LONG]);
        }),
    );

    test(
      'new keys above all of the transaction before go in at once',
      run(async (fixture) => {
        const session = await sessionOf(fixture, 'upsert');
        const rival = await fixture.connect();
        const { first, preparing, second } = await blocked(session, rival, [1, 2], [3, 4]);
        // One waits for the rival, the other for more rows.
        await until(
          async () =>
            (await backendsOf(fixture, `wait_event = 'ClientRead' AND backend_xid IS NOT NULL`)).length === 1,
        );
        await rival.query('ROLLBACK');
        await preparing;
        await first.commit(rangeOf(session, 1n));
        await second.prepare();
        await second.commit(rangeOf(session, 2n));
        expect(await fixture.column('SELECT id FROM flights ORDER BY id')).toEqual(['1', '2', '3', '4']);
      }),
    );

    test(
      'what was encoded for a transaction is thrown away where the one before cannot be prepared',
      run(async (fixture) => {
        const session = await sessionOf(fixture, 'append');
        await fixture.query(`INSERT INTO flights VALUES (1, 'there')`);
        const first = await session.begin();
        await first.write(batchOf({ rows: [{ id: 1, note: 'again' }] }));
        const preparing = expect(first.prepare()).rejects.toMatchObject({ code: 'EOS_ROW' });
        const second = await session.begin();
        await second.write(batchOf({ rows: [{ id: 2, note: 'next' }] }, 1));
        await preparing;
        await second.rollback();
        await first.rollback();
        const third = await session.begin();
        await third.write(batchOf({ rows: [{ id: 3, note: 'third' }] }, 2));
        await third.prepare();
        await third.commit(rangeOf(session, 3n));
        expect(await fixture.column('SELECT id FROM flights ORDER BY id')).toEqual(['1', '3']);
      }),
    );
  });
});
