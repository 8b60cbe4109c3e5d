import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { rowSchema, t } from '@eos/core';
import { describeWithService } from '@eos/services';
import { failureOf, prepared, rangeOf, withDatabase } from '../database.testing.js';
import { mapCommitError } from '../connection/error-map.js';

const flights = { table: 'flights', schema: rowSchema({ id: t.int64() }) };

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  test.each([
    ['40001', 'aborted'],
    ['23514', 'aborted'],
    ['53100', 'aborted'],
    ['55000', 'aborted'],
    // Raised by what ends sessions and servers, too.
    ['57014', 'unknown'],
    ['57P01', 'unknown'],
    ['58030', 'unknown'],
    ['08006', 'unknown'],
    ['XX000', 'unknown'],
  ])('%s from the round trip of the COMMIT says: %s', (state, outcome) =>
    withDatabase(getService(), async (fixture) => {
      const session = await (await fixture.open(flights)).recover(['0']);
      await fixture.query(`
        CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '${state}'; END $$;
        CREATE CONSTRAINT TRIGGER fail AFTER INSERT ON eos.positions DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail()`);
      const transaction = await prepared(session, { rows: [{ id: 1 }] });
      const failure = await failureOf(transaction.commit(rangeOf(session, 1n)));
      expect(failure.outcome).toBe(outcome);
      expect(failure.code === 'EOS_UNKNOWN_OUTCOME').toBe(outcome === 'unknown');
    }),
  );
});

test.each(['FATAL', 'PANIC', 'SCHWERWIEGEND'])(
  'a disk that is full says nothing where it ends the server (%s)',
  (severity) => {
    const error = Object.assign(new Error('could not write'), { code: '53100', severity });
    expect(mapCommitError(error)).toMatchObject({ code: 'EOS_UNKNOWN_OUTCOME', outcome: 'unknown' });
  },
);
