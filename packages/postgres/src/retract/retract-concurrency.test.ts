import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Op, rowSchema, t, type SinkSession } from '@eos/core';
import { describeWithService } from '@eos/services';
import {
  batchOf,
  commit,
  failureOf,
  rangeOf,
  withDatabase,
  type Fixture,
  type Row,
} from '../database.testing.js';
import { addRowHash } from './row-hash.testing.js';

const schema = rowSchema({ id: t.int64(), note: t.string().nullable() });
const { delete: remove } = Op;
const retract = { table: 'flights', mode: 'retract', schema } as const;

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  const run = (work: (fixture: Fixture) => Promise<void>) => () => withDatabase(getService(), work);
  const flights = async (fixture: Fixture): Promise<SinkSession<Row>> =>
    (await fixture.open(retract)).recover(['0']);
  const notes = (fixture: Fixture) => fixture.column(`SELECT note FROM flights ORDER BY note COLLATE "C"`);
  const row = (note: string | null, id = 1) => ({ id, note });

  describe('retract beside other transactions', () => {
    test(
      'a row that one of them has moved meanwhile is found where it is now',
      run(async (fixture) => {
        await fixture.query('CREATE TABLE flights (id bigint, note text, seen int)');
        await addRowHash(fixture, retract);
        const session = await flights(fixture);
        await commit(session, { rows: [row('a'), row('b'), row('b')] });
        const other = await fixture.connect();
        await other.query('BEGIN; UPDATE flights SET seen = 1');
        const transaction = await session.begin();
        await transaction.write(batchOf({ rows: [row('a'), row('b')], ops: [remove, remove] }));
        const preparing = transaction.prepare();
        await untilBlocked(fixture);
        await other.query('COMMIT');
        await preparing;
        await transaction.commit(rangeOf(session, 2n));
        expect(await notes(fixture)).toEqual(['b']);
      }),
    );

    test(
      'a copy that one of them deletes meanwhile does not count: another goes, or it is missing',
      run(async (fixture) => {
        const session = await flights(fixture);
        await commit(session, { rows: [row('a'), row('a'), row('b')] });
        for (const [note, left] of [
          ['a', ['b']],
          ['b', undefined],
        ] as const) {
          const other = await fixture.connect();
          await other.query('BEGIN');
          await other.query(
            `DELETE FROM flights WHERE ctid = (SELECT min(ctid) FROM flights WHERE note = '${note}')`,
          );
          const transaction = await session.begin();
          await transaction.write(batchOf({ rows: [row(note)], ops: [remove] }, 30));
          const preparing = transaction.prepare();
          const failing = left === undefined ? failureOf(preparing) : undefined;
          await untilBlocked(fixture);
          await other.query('COMMIT');
          if (failing === undefined) {
            await preparing;
            await transaction.commit(rangeOf(session, 2n));
            expect(await notes(fixture)).toEqual(left);
          } else {
            expect(await failing).toMatchObject({ code: 'EOS_ROW', details: { offset: 30n, missing: 1 } });
            await transaction.rollback();
          }
        }
      }),
    );

    test(
      'sessions that take copies of the same rows from one table take each once',
      run(async (fixture) => {
        const names = ['a', 'b', 'c', 'd'];
        const changes = names.map((note) => row(note));
        const sinks = await Promise.all(
          ['one', 'two', 'three'].map((sink) => fixture.open(retract, { pipeline: 'orders', sink })),
        );
        const sessions = await Promise.all(sinks.map((sink) => sink.recover(['0'])));
        const [first] = sessions;
        if (first === undefined) throw new Error('no session');
        for (let round = 0; round < 5; round += 1) {
          await commit(first, { rows: [...changes, ...changes, ...changes, row('left', round)] });
          await Promise.all(
            sessions.map((session) => commit(session, { rows: changes, ops: changes.map(() => remove) })),
          );
        }
        expect(await notes(fixture)).toEqual(Array.from({ length: 5 }, () => 'left'));
      }),
    );
  });

  /** Until a connection of Eos waits for a lock. */
  async function untilBlocked(fixture: Fixture): Promise<void> {
    for (;;) {
      const waiting = await fixture.query(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      if (waiting.length > 0) return;
      await delay(10);
    }
  }
});
