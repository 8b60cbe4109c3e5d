import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Op, rowSchema, t } from '@eos/core';
import { describeWithService } from '@eos/services';
import { tcpProxy } from '@eos/testkit';
import {
  batchOf,
  commit,
  failureOf,
  prepared,
  rangeOf,
  withDatabase,
  type Fixture,
} from './database.testing.js';

const schema = rowSchema({ id: t.int64(), note: t.string().nullable() });
const table = { table: 'flights', schema, lockTimeoutMs: 200 };
const upsert = { ...table, mode: 'upsert', key: ['id'] } as const;

/** Rows of which the first is `id`: more than the buffers on the way to the server hold. */
const flood = (id: number) =>
  Array.from({ length: 20_000 }, (_, index) => ({ id: id + index, note: 'x'.repeat(1_000) }));

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  const run = (work: (fixture: Fixture) => Promise<void>) => () => withDatabase(getService(), work);

  describe('an earlier session that hangs', () => {
    test(
      'in the middle of a COPY holds up no write of its successor',
      run(async (fixture) => {
        const hanging = await (await fixture.open(upsert)).recover(['0']);
        const transaction = await hanging.begin();
        // Its first block is on the way, and nothing after it.
        await transaction.write(batchOf({ rows: flood(1).slice(0, 200) }));
        await fixture.until(
          `EXISTS (SELECT FROM pg_stat_progress_copy WHERE datname = current_database() AND tuples_processed > 0)`,
        );
        const successor = await (await fixture.open(upsert)).recover(['0']);
        const late = await successor.begin();
        for (let offset = 0; offset < 3; offset += 1) {
          await late.write(batchOf({ rows: flood(1 + offset * 20_000) }, offset * 20_000));
        }
        await late.prepare();
        await late.commit(rangeOf(successor, 1n));
        expect(await fixture.column('SELECT count(*)::int FROM flights')).toEqual([60_000]);
        expect((await failureOf(transaction.prepare())).code).toMatch(
          /^EOS_(UNAVAILABLE|FENCED|SESSION_DEAD)$/,
        );
      }),
      60_000,
    );

    test(
      'in the middle of its claim gives the claim up',
      run(async (fixture) => {
        const proxy = await tcpProxy(fixture.database);
        try {
          const url = new URL(fixture.database.url);
          url.port = String(proxy.port);
          await (await fixture.open(table)).recover(['0']);
          const fault = proxy.arm({
            on: 'request',
            do: 'hold',
            when: (chunk) => chunk.includes('UPDATE eos.claims'),
          });
          const hanging = await fixture.open({ ...table, connection: url.href });
          const failure = failureOf(hanging.recover(['0']));
          await fault.struck;
          // Nobody may end a connection here: the server does.
          const patient = { ...table, lockTimeoutMs: 60_000, terminateBlocking: false };
          const successor = await (await fixture.open(patient)).recover(['0']);
          await commit(successor, { rows: [{ id: 1 }] });
          await fault.release();
          expect(await failure).toMatchObject({ retryable: true });
          await commit(successor, { rows: [{ id: 2 }] });
        } finally {
          await proxy.close();
        }
      }),
      60_000,
    );
  });

  test(
    'a session that is fenced already ends no connection of its successor',
    run(async (fixture) => {
      const first = await fixture.open(table);
      const fenced = await first.recover(['0']);
      const successor = await (await fixture.open({ ...table, lockTimeoutMs: 60_000 })).recover(['0']);
      const gate = await fixture.gate('eos.positions', 'AFTER INSERT');
      const transaction = await prepared(successor, { rows: [{ id: 1 }] });
      const committing = transaction.commit(rangeOf(successor, 1n));
      await gate.reached();
      // The claim is locked by that commit for longer than the lock timeout.
      const replacing = new Map([['0', { owners: new Set([fenced.owner]), epoch: 0n }]]);
      expect((await failureOf(first.recover(['0'], { replacing }))).code).toBe('EOS_FENCED');
      await gate.open();
      await committing;
      expect(await fixture.column('SELECT id FROM flights')).toEqual(['1']);
    }),
  );

  test(
    'a rollback may overtake an upsert at any step of its way to the staging table',
    run(async (fixture) => {
      const session = await (await fixture.open(upsert)).recover(['0']);
      await commit(session, { rows: [{ id: 0, note: 'kept' }] });
      const rollback = { isLate: false };
      for (let turns = 0; !rollback.isLate && turns < 500; turns += 1) {
        // New keys go in directly; the last batch sends them all the other way, and the rollback comes so many turns later.
        const transaction = await session.begin();
        await transaction.write(batchOf({ rows: [{ id: 0, note: 'refused' }, { id: 1 }] }));
        const write = transaction
          .write(batchOf({ rows: [{ id: 1, note: 'again' }], ops: [Op.updateAfter] }))
          .then(() => (rollback.isLate = true))
          .catch(() => undefined);
        for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
        await transaction.rollback();
        await write;
        // Two connections take turns, and the guess makes pauses: both go on as if nothing had been.
        for (let next = 0; next < 2; next += 1)
          await commit(session, { rows: [{ id: 1_000 + 2 * turns + next }] });
      }
      expect(rollback.isLate).toBe(true);
      expect(await fixture.column('SELECT note FROM flights WHERE id < 1000')).toEqual(['kept']);
    }),
    120_000,
  );
});
