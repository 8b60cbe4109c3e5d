import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Op, rowSchema, t, type SinkSession } from '@eos/core';
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

const schema = rowSchema({ id: t.int64(), note: t.string().nullable() });
const { insert, updateBefore, updateAfter, delete: remove } = Op;
const retract = { table: 'flights', mode: 'retract', schema } as const;

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  const run = (work: (fixture: Fixture) => Promise<void>) => () => withDatabase(getService(), work);

  async function flights(fixture: Fixture, options: object = {}): Promise<SinkSession<Row>> {
    return (await fixture.open({ ...retract, ...options })).recover(['0']);
  }

  const notes = (fixture: Fixture) =>
    fixture.column(`SELECT coalesce(note, '-') FROM flights ORDER BY coalesce(note, '-') COLLATE "C"`);
  const row = (note: string | null, id = 1) => ({ id, note });

  describe('retract', () => {
    test(
      'makes the table with a hash of each row and an index on it, and no key',
      run(async (fixture) => {
        await flights(fixture);
        await fixture.query(`INSERT INTO flights VALUES (1, 'a'), (1, 'a'), (1, null)`);
        expect(
          await fixture.query(
            'SELECT count(*)::int, count(DISTINCT eos_row_hash)::int AS hashes FROM flights',
          ),
        ).toEqual([{ count: 3, hashes: 2 }]);
        expect(
          await fixture.column(
            `SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 'flights'::regclass`,
          ),
        ).toEqual([expect.stringContaining('USING btree (eos_row_hash)')]);
      }),
    );

    test(
      'two sinks that make the same table at once make it once',
      run(async (fixture) => {
        const names = ['a', 'b', 'c'];
        const sinks = await Promise.all(
          names.map((sink) => fixture.open(retract, { pipeline: 'orders', sink })),
        );
        await Promise.all(sinks.map((sink) => sink.recover(['0'])));
        expect(
          await fixture.column(`SELECT count(*)::int FROM pg_index WHERE indrelid = 'flights'::regclass`),
        ).toEqual([1]);
      }),
    );

    test(
      'takes exactly one copy of a row for each that is taken back',
      run(async (fixture) => {
        const session = await flights(fixture);
        await commit(session, { rows: ['a', 'a', 'a', 'a', 'b', null, null].map((note) => row(note)) });
        await commit(
          session,
          { rows: [row('a'), row(null)], ops: [remove, updateBefore] },
          { rows: [row('a'), row('c')], ops: [remove, updateAfter] },
        );
        expect(await notes(fixture)).toEqual(['-', 'a', 'a', 'b', 'c']);
      }),
    );

    test(
      'what comes and goes in one transaction cancels, in any order, in one batch or several',
      run(async (fixture) => {
        const session = await flights(fixture);
        await commit(session, { rows: [row('a')] });
        const orders = [
          [{ rows: [row('x'), row('x')], ops: [insert, remove] }],
          [{ rows: [row('x'), row('x')], ops: [remove, insert] }],
          [{ rows: [row('x')] }, { rows: [row('x')], ops: [remove] }],
          [
            { rows: [row('x')], ops: [updateBefore] },
            { rows: [row('x')], ops: [updateAfter] },
          ],
          [{ rows: [row('x')], ops: [remove] }, { rows: [row('y'), row('x')] }],
          [{ rows: [row('y')], ops: [remove] }],
        ];
        for (const batches of orders) await commit(session, ...batches);
        expect(await notes(fixture)).toEqual(['a']);
      }),
    );

    test(
      'the same from a transaction that is larger than what is kept here',
      run(async (fixture) => {
        const session = await flights(fixture);
        const wide = 'x'.repeat(900);
        const rows = (first: number, count: number) =>
          Array.from({ length: count }, (_, index) => row(`${first + index} ${wide}`));
        const gone = (first: number, count: number) => ({
          rows: rows(first, count),
          ops: Array.from({ length: count }, () => remove),
        });
        await commit(session, { rows: rows(0, 9000) }, { rows: rows(0, 10) });
        await commit(
          session,
          gone(0, 6000),
          { rows: rows(20_000, 3000) },
          gone(3000, 0),
          { rows: rows(20_000, 10), ops: Array.from({ length: 10 }, () => remove) },
          gone(6000, 2990),
          gone(0, 5),
          gone(20_010, 2990),
        );
        expect(
          await fixture.query('SELECT count(*)::int, count(DISTINCT note)::int AS notes FROM flights'),
        ).toEqual([{ count: 15, notes: 15 }]);
      }),
      60_000,
    );

    test(
      'one row of many copies loses as many as are taken back, and no other is touched',
      run(async (fixture) => {
        const session = await flights(fixture);
        await commit(session, { rows: Array.from({ length: 5000 }, () => row('same')) });
        await commit(session, { rows: [row('same'), row('same')], ops: [remove, remove] });
        expect(
          await fixture.query(
            'SELECT count(*)::int, count(*) FILTER (WHERE xmax <> 0)::int AS locked FROM flights',
          ),
        ).toEqual([{ count: 4998, locked: 0 }]);
      }),
    );

    test(
      'the next transaction may be written while this one commits, and takes what it left',
      run(async (fixture) => {
        const session = await flights(fixture);
        const first = await prepared(session, { rows: [row('a'), row('b')] });
        const committing = first.commit(rangeOf(session, 1n));
        const second = await session.begin();
        await second.write(batchOf({ rows: [row('a'), row('c')], ops: [remove, insert] }));
        await committing;
        await second.prepare();
        await second.commit(rangeOf(session, 2n));
        expect(await notes(fixture)).toEqual(['b', 'c']);
      }),
    );

    test(
      'a transaction that is rolled back at any point leaves all as it was, and the session goes on',
      run(async (fixture) => {
        const session = await flights(fixture);
        await commit(session, { rows: [row('a')] });
        const changes = { rows: [row('a'), row('b')], ops: [remove, insert] };
        for (const stop of ['begun', 'written', 'writing', 'prepared', 'preparing']) {
          const transaction = await session.begin();
          const writing = stop === 'begun' ? undefined : transaction.write(batchOf(changes));
          if (stop !== 'writing') await writing;
          const preparing = stop.startsWith('prepar') ? transaction.prepare() : undefined;
          if (stop === 'prepared') await preparing;
          await transaction.rollback();
          await Promise.allSettled([writing, preparing]);
        }
        await commit(session, { rows: [row('c')] });
        expect(await notes(fixture)).toEqual(['a', 'c']);
      }),
    );
  });

  describe('a row that is taken back and not there', () => {
    test(
      'stops, and is told by partition and offset; nothing of its transaction is left',
      run(async (fixture) => {
        const session = await flights(fixture);
        await commit(session, { rows: [row('a'), row('b')] });
        const transaction = await session.begin();
        await transaction.write(
          batchOf({ rows: [row('b'), row('c'), row('a')], ops: [remove, insert, remove] }, 40),
        );
        await transaction.write(batchOf({ rows: [row('a'), row('a')], ops: [remove, remove] }, 50));
        expect(await failureOf(transaction.prepare())).toMatchObject({
          code: 'EOS_ROW',
          retryable: false,
          outcome: 'aborted',
          details: { partition: '0', offset: 51n, missing: 2 },
        });
        await transaction.rollback();
        expect(await notes(fixture)).toEqual(['a', 'b']);
      }),
    );

    test(
      'is counted where that was asked for, and the other changes are made',
      run(async (fixture) => {
        const session = await flights(fixture, { missingRow: 'count' });
        await commit(session, { rows: [row('a'), row('a')] });
        const transaction = await prepared(session, {
          rows: [row('a'), row('a'), row('a'), row('x'), row('b')],
          ops: [remove, remove, remove, remove, insert],
        });
        expect([...(transaction.rejected?.counts ?? [])]).toEqual([['0', 2]]);
        expect(transaction.rejected?.examples).toMatchObject([
          { code: 'EOS_ROW', details: { partition: '0', offset: 2n, missing: 2 } },
        ]);
        await transaction.commit(rangeOf(session, 2n));
        expect(await notes(fixture)).toEqual(['b']);
        // It went below zero nowhere: what comes later is there.
        await commit(session, { rows: [row('a')] });
        expect(await notes(fixture)).toEqual(['a', 'b']);
      }),
    );

    test(
      'is a bad row: set aside with those, or counted beside them',
      run(async (fixture) => {
        const changes = {
          rows: [row('a'), row('x'), { id: 'none', note: null }, row('b'), row('y')],
          ops: [remove, remove, insert, insert, remove],
        };
        const policies = [{ badRows: 'skip' }, { badRows: 'skip', missingRow: 'count' }] as const;
        for (const [index, policy] of policies.entries()) {
          const at = { pipeline: 'orders', sink: `sink-${index}` };
          const session = await (await fixture.open({ ...retract, ...policy }, at)).recover(['0']);
          await commit(session, { rows: [row('a')] });
          const transaction = await prepared(session, changes);
          expect([...(transaction.rejected?.counts ?? [])]).toEqual([['0', 3]]);
          await transaction.commit(rangeOf(session, 2n));
          expect(await notes(fixture)).toEqual(['b']);
          await fixture.query('TRUNCATE flights');
        }
      }),
    );

    test(
      'a row that does not fit its column is told with its place, also where the server finds it',
      run(async (fixture) => {
        const session = await flights(fixture);
        const transaction = await session.begin();
        const rows = [row('a'), { id: 'x', note: null }];
        expect(await failureOf(transaction.write(batchOf({ rows, ops: [remove, remove] }, 7)))).toMatchObject(
          {
            code: 'EOS_ROW',
            details: { partition: '0', offset: 8n, column: 'id' },
          },
        );
        await transaction.rollback();
        const checked = await fixture.connect();
        await checked.query(`ALTER TABLE flights ADD CHECK (note <> 'no')`);
        const mixed = await session.begin();
        await mixed.write(
          batchOf({ rows: [row('b'), row('b'), row('x')], ops: [insert, insert, remove] }, 60),
        );
        await mixed.write(batchOf({ rows: [row('x'), row('no')], ops: [remove, updateAfter] }, 70));
        expect(await failureOf(mixed.prepare())).toMatchObject({
          code: 'EOS_ROW',
          details: { partition: '0', offset: 71n, constraint: 'flights_note_check' },
        });
        await mixed.rollback();
        await fixture.query(`CREATE TYPE mood AS ENUM ('calm'); CREATE TABLE moods (mood mood)`);
        const moods = await fixture.open(
          { table: 'moods', mode: 'retract', requireRowHash: false },
          { pipeline: 'orders', sink: 'moods' },
        );
        const other = await (await moods.recover(['0'])).begin();
        await other.write(batchOf({ rows: [{ mood: 'calm' }, { mood: 'sad' }], ops: [remove, remove] }, 20));
        expect(await failureOf(other.prepare())).toMatchObject({
          code: 'EOS_ROW',
          details: { partition: '0', offset: 21n },
        });
      }),
    );
  });
});
