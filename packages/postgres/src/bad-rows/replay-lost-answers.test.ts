import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isEosError, type DeadLetterReplay } from '@eos/core';
import { describeWithService } from '@eos/services';
import { proxyFaults, tcpProxy, type CommitFault } from '@eos/testkit';
import { commit, withDatabase, type Fixture } from '../database.testing.js';
import { early, fill, ids, lettersOf, listed } from './dead-letters.testing.js';

const COUNT = 40;
const REJECTED = 7;
const EXPECTED = Array.from({ length: COUNT }, (_, id) => id).filter((id) => id !== REJECTED);
/** What was replayed before is marked, letters are numbered, the claim is made and taken, rows are written, and letters are marked. */
const LEAST_COMMITS = 6;
const ATTEMPTS = 4;

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  test.each<[what: string, fault: CommitFault]>([
    ['it landed', 'answer-lost'],
    ['it was lost before the server', 'request-lost'],
    ['it lands when all is over', 'request-late'],
  ])(
    'a COMMIT of a replay, whichever it is, has no answer, and %s: each row is written once',
    (_what, fault) =>
      withDatabase(getService(), async (fixture) => {
        const proxy = await tcpProxy(fixture.database);
        const url = new URL(fixture.database.url);
        url.port = String(proxy.port);
        try {
          await fill(fixture, early(1));
          for (let number = 1; ; number += 1) {
            await refill(fixture);
            let seen = 0;
            const faults = proxyFaults(proxy, {
              isCommit: (chunk) => chunk.includes('COMMIT') && ++seen === number,
            });
            await faults.arm(fault);
            const counted = await replayUntilDone(fixture, url.href);
            await faults.release();
            expect([number, await fixture.column(ids), await waitingRows(fixture)]).toEqual([
              number,
              EXPECTED,
              [{ id: REJECTED, delay: -1 }],
            ]);
            if (seen < number) {
              expect(counted).toEqual({ replayed: COUNT - 1, rejected: 1 });
              expect(number).toBeGreaterThan(LEAST_COMMITS);
              return;
            }
          }
        } finally {
          await proxy.close();
        }
      }),
    120_000,
  );

  /** Letters that can be replayed now, but for one; the position of the replays before stays. */
  async function refill(fixture: Fixture): Promise<void> {
    await fixture.query(`TRUNCATE flights, eos.dead_letters;
      ALTER TABLE flights DROP CONSTRAINT IF EXISTS few, DROP CONSTRAINT IF EXISTS not_early,
        ADD CONSTRAINT not_early CHECK (delay >= 0)`);
    const sink = await fixture.open({ table: 'flights', badRows: 'dead-letter', maxBadRows: Infinity });
    await commit(await sink.recover(['0']), { rows: early(COUNT) });
    await sink.close();
    await fixture.query(`
      ALTER TABLE flights DROP CONSTRAINT not_early, ADD CONSTRAINT few CHECK (id <> ${REJECTED})`);
  }

  async function waitingRows(fixture: Fixture): Promise<unknown[]> {
    const letters = await lettersOf(fixture);
    const waiting = await listed(letters);
    await letters.close();
    return waiting.map(({ row }) => row);
  }

  /** As who calls the command again where it has failed. */
  async function replayUntilDone(fixture: Fixture, connection: string): Promise<DeadLetterReplay> {
    for (let attempt = 1; ; attempt += 1) {
      const letters = await lettersOf(fixture, { connection, lockTimeoutMs: 200 });
      try {
        return await letters.replay();
      } catch (error) {
        if (!isEosError(error) || !error.retryable || attempt === ATTEMPTS) throw error;
      } finally {
        await letters.close();
      }
    }
  }
});
