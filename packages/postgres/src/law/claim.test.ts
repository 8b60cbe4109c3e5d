import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Op, rowSchema, t } from '@eos/core';
import { describeWithService } from '@eos/services';
import {
  batchOf,
  commit,
  context,
  failureOf,
  prepared,
  rangeOf,
  withDatabase,
  type Fixture,
} from '../database.testing.js';

const schema = rowSchema({ id: t.int64(), note: t.string().nullable() });
const table = { table: 'flights', schema, lockTimeoutMs: 200 };
const upsert = { ...table, mode: 'upsert', key: ['id'] } as const;

/** What a session's connections are, for the server. */
const LISTED = `SELECT count(*)::int FROM eos.claims c, jsonb_to_recordset(c.backends) AS b(pid int, "startedAt" text)
  JOIN pg_stat_activity a ON a.pid = b.pid AND a.backend_start::text = b."startedAt"`;

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  const run = (work: (fixture: Fixture) => Promise<void>) => () => withDatabase(getService(), work);

  describe('a claim', () => {
    test(
      'lists the connections of its session, and those of earlier ones for as long as they live',
      run(async (fixture) => {
        await fixture.query(`SET TimeZone = 'UTC'`);
        const sink = await fixture.open(table);
        const first = await sink.recover(['0', '1']);
        expect(await fixture.column(`${LISTED} GROUP BY c.partition`)).toEqual([2, 2]);
        const second = await sink.recover(['1']);
        expect(await fixture.column(`${LISTED} GROUP BY c.partition ORDER BY c.partition`)).toEqual([2, 4]);
        await Promise.all([first.close(), second.close()]);
        await fixture.untilGone();
        await sink.recover(['1']);
        expect(await fixture.column(`${LISTED} WHERE c.partition = '1'`)).toEqual([2]);
      }),
    );

    test(
      'waits for a commit in flight, and finds what it did',
      run(async (fixture) => {
        const patient = { ...table, lockTimeoutMs: 60_000 };
        const session = await (await fixture.open(patient)).recover(['0']);
        await commit(session, { rows: [{ id: 1 }] });
        // The trigger runs when the commit has locked the claim.
        const gate = await fixture.gate('eos.positions', 'AFTER INSERT');
        const transaction = await prepared(session, { rows: [{ id: 2 }] });
        const committing = transaction.commit(rangeOf(session, 2n));
        await gate.reached();
        const claiming = (await fixture.open(patient)).recover(['0']);
        await fixture.untilLocked('transactionid');
        await gate.open();
        const successor = await claiming;
        expect(successor.positions.get('0')).toMatchObject({ epoch: 2n, offset: 2n, txId: transaction.id });
        await committing;
        expect(await fixture.column('SELECT count(*)::int FROM flights')).toEqual([2]);
      }),
    );

    test(
      'ends a connection of the session before it that holds the lock and hangs',
      run(async (fixture) => {
        const hanging = await (await fixture.open(table)).recover(['0']);
        const gate = await fixture.gate('eos.positions', 'AFTER INSERT');
        const transaction = await prepared(hanging, { rows: [{ id: 1 }] });
        const failure = failureOf(transaction.commit(rangeOf(hanging, 1n)));
        await gate.reached();
        const successor = await (await fixture.open(table)).recover(['0']);
        expect(successor.positions.get('0')).toMatchObject({ epoch: 0n });
        expect(await failure).toMatchObject({
          code: 'EOS_UNKNOWN_OUTCOME',
          outcome: 'unknown',
          retryable: true,
        });
        await gate.open();
        await commit(successor, { rows: [{ id: 1 }] });
        expect(await fixture.column('SELECT id FROM flights')).toEqual(['1']);
      }),
    );

    test(
      'leaves any other blocker alone, and tells who it is',
      run(async (fixture) => {
        const session = await (await fixture.open(table)).recover(['0']);
        await fixture.query(`SET application_name = 'a "person"'; BEGIN; SELECT FROM eos.claims FOR UPDATE`);
        const [pid] = await fixture.column('SELECT pg_backend_pid()');
        const sink = await fixture.open(table);
        const failure = await failureOf(sink.recover(['0']));
        expect(failure).toMatchObject({ code: 'EOS_UNAVAILABLE', retryable: true, outcome: 'aborted' });
        expect(failure.message).toContain(`process ${String(pid)} ("a \\"person\\"")`);
        await fixture.query('COMMIT');
        expect((await sink.recover(['0'])).positions.get('0')?.epoch).toBe(0n);
        await session.close();
      }),
    );

    test(
      'ends nothing where that is switched off',
      run(async (fixture) => {
        const hanging = await (await fixture.open(upsert)).recover(['0']);
        const transaction = await prepared(hanging, { rows: [{ id: 1, note: 'a' }] });
        const options = { ...upsert, terminateBlocking: false, statementTimeoutMs: 3_000 };
        const successor = await (await fixture.open(options)).recover(['0']);
        const failure = await failureOf(prepared(successor, { rows: [{ id: 1, note: 'b' }] }));
        expect(failure).toMatchObject({ code: 'EOS_UNAVAILABLE', retryable: true, outcome: 'aborted' });
        expect((await failureOf(transaction.commit(rangeOf(hanging, 1n)))).code).toBe('EOS_FENCED');
      }),
    );

    test(
      'lets its session end an earlier one that has locked the same rows',
      run(async (fixture) => {
        const hanging = await (await fixture.open(upsert)).recover(['0']);
        const transaction = await prepared(hanging, { rows: [{ id: 1, note: 'a' }] });
        const successor = await (await fixture.open(upsert)).recover(['0']);
        await commit(successor, { rows: [{ id: 1, note: 'b' }], ops: [Op.updateAfter] });
        expect((await failureOf(transaction.commit(rangeOf(hanging, 1n)))).code).toBe('EOS_FENCED');
        expect(await fixture.column('SELECT note FROM flights')).toEqual(['b']);
      }),
    );

    test(
      'of many sessions at once, each partition has one owner in the end',
      run(async (fixture) => {
        const partitions = ['a', 'b', 'c', 'd'];
        const open = async (index: number) => {
          const sink = await fixture.open({ ...table, lockTimeoutMs: 60_000 });
          return sink.recover(index % 2 === 0 ? partitions : [...partitions].reverse());
        };
        const sessions = await Promise.all(Array.from({ length: 8 }, (_, index) => open(index)));
        const owners = await fixture.column('SELECT owner FROM eos.claims');
        expect(new Set(owners).size).toBe(1);
        expect(sessions.map(({ owner }) => String(owner))).toContain(owners[0]);
      }),
    );
  });

  describe('what is stored', () => {
    test(
      'the newest positions of a partition are kept, the older ones go',
      run(async (fixture) => {
        const session = await (await fixture.open(table)).recover(['0']);
        for (let id = 0; id < 30; id += 1) await commit(session, { rows: [{ id }] });
        expect(await fixture.column('SELECT epoch::int FROM eos.positions ORDER BY 1')).toEqual([
          23, 24, 25, 26, 27, 28, 29, 30,
        ]);
      }),
    );

    test(
      'positions that were taken back are a regression, and reading goes on from what is left',
      run(async (fixture) => {
        const session = await (await fixture.open(table)).recover(['0']);
        for (let id = 0; id < 5; id += 1) await commit(session, { rows: [{ id }] });
        await fixture.query('DELETE FROM eos.positions WHERE epoch > 3; DELETE FROM flights WHERE id >= 3');
        const failure = await failureOf(commit(session, { rows: [{ id: 5 }] }));
        expect(failure).toMatchObject({
          code: 'EOS_POSITION_REGRESSED',
          retryable: true,
          outcome: 'aborted',
        });
        expect(failure.details).toEqual({ partition: '0', expected: 5n, found: 3n });
        const sink = await fixture.open(table);
        const replacing = new Map([['0', { owners: new Set([session.owner]), epoch: 5n }]]);
        const again = await sink.recover(['0'], { replacing });
        expect(again.positions.get('0')).toMatchObject({ epoch: 3n, offset: 3n });
        await commit(again, { rows: [{ id: 3 }] });
        expect(await fixture.column('SELECT id::int FROM flights ORDER BY 1')).toEqual([0, 1, 2, 3]);
      }),
    );

    test(
      'records of a newer version are left alone',
      run(async (fixture) => {
        const sink = await fixture.open(table);
        await commit(await sink.recover(['0']), { rows: [{ id: 1 }] });
        for (const record of ['targets', 'claims', 'positions']) {
          await fixture.query(`UPDATE eos.${record} SET format = 2`);
          expect((await failureOf(sink.recover(['0']))).code).toBe('EOS_FORMAT');
          await fixture.query(`UPDATE eos.${record} SET format = 1`);
        }
        await fixture.query('UPDATE eos.positions SET format = 2');
        expect((await failureOf(sink.positions())).code).toBe('EOS_FORMAT');
      }),
    );

    test(
      'a position keeps all its fields',
      run(async (fixture) => {
        const sink = await fixture.open(table);
        const session = await sink.recover(['sub/ä "0"']);
        const source = {
          id: String(2n ** 63n - 1n),
          nested: [{ n: 1.5 }, null, true],
          text: "it's \\ \u2028",
        };
        const advance = { offset: 2n ** 63n - 1n, source, watermark: -1n, readTo: 2n ** 62n, plan: 0n };
        const transaction = await session.begin();
        await transaction.prepare();
        await transaction.commit({ from: session.positions, to: new Map([['sub/ä "0"', advance]]) });
        const expected = { ...advance, epoch: 1n, owner: session.owner, txId: transaction.id };
        expect((await sink.positions()).get('sub/ä "0"')).toMatchObject(expected);
        expect((await sink.recover(['sub/ä "0"'])).positions.get('sub/ä "0"')).toMatchObject({
          ...advance,
          epoch: 1n,
        });
      }),
    );

    test(
      'reading positions disturbs nobody, and asks for as many as are wanted',
      run(async (fixture) => {
        const sink = await fixture.open(table);
        const session = await sink.recover(['a', 'b']);
        const transaction = await session.begin();
        await transaction.write({ ...batchOf({ rows: [{ id: 1 }] }), partition: 'a' });
        await fixture.query('BEGIN; SELECT FROM eos.claims FOR UPDATE');
        const all = await Promise.all([sink.positions(), sink.positions(['b', 'c']), sink.positions([])]);
        expect(all.map((positions) => [...positions.keys()].sort())).toEqual([['a', 'b'], ['b'], []]);
        await fixture.query('COMMIT');
        const other = await fixture.open(table, { ...context, sink: 'other' });
        expect([...(await other.positions()).keys()]).toEqual([]);
      }),
    );
  });
});
