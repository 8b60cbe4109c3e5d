import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { describeWithService } from '@eos/services';
import { commit, failureOf, withDatabase, type Fixture, type Row } from '../database.testing.js';

const TABLE = `
  CREATE TABLE flights (
    id int NOT NULL,
    delay int CONSTRAINT not_early CHECK (delay >= 0),
    origin text,
    late boolean GENERATED ALWAYS AS (delay > 15) STORED,
    CONSTRAINT known CHECK (origin <> 'XXX' AND length(origin) = 3),
    CONSTRAINT not_both CHECK (NOT (late AND origin = 'SEA')),
    CONSTRAINT whole CHECK (flights IS DISTINCT FROM ROW(13, 0, 'ABQ', false)::flights))`;

const good = (id: number): Row => ({ id, delay: 1, origin: 'ABQ' });
const EARLY = { delay: -1 };

/** The rows `0` to `count`, of which some are spoiled. */
function rowsWith(count: number, spoiled: Readonly<Record<number, Row>>): Row[] {
  return Array.from({ length: count }, (_, id) => ({ ...good(id), ...spoiled[id] }));
}

const ids = 'SELECT id FROM flights ORDER BY id';
const LETTERS = `
  SELECT row_offset::int AS offset, constraint_name AS name, sql_state AS state, column_name AS column FROM eos.dead_letters ORDER BY id`;

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  const onTable = (work: (fixture: Fixture) => Promise<void>) => () =>
    withDatabase(getService(), async (fixture) => {
      await fixture.query(TABLE);
      await work(fixture);
    });

  /** A session that has met a row which a CHECK rejects, and leaves such rows out from now on. */
  async function openWarned(fixture: Fixture) {
    const sink = await fixture.open({ table: 'flights', badRows: 'dead-letter' });
    const session = await sink.recover(['0']);
    await commit(session, { rows: [{ ...good(0), ...EARLY }] });
    await fixture.query('TRUNCATE flights, eos.dead_letters');
    return session;
  }

  test(
    'names each row that is left out, and its constraint, as an error would',
    onTable(async (fixture) => {
      const session = await openWarned(fixture);
      const spoiled = { 3: EARLY, 7: { origin: 'XXX' }, 8: { delay: -2, origin: 'long' }, 2999: EARLY };
      await commit(session, { rows: rowsWith(3_000, spoiled) });
      const expected = [...Array(3_000).keys()].filter((id) => !(id in spoiled));
      expect(await fixture.column(ids)).toEqual(expected);
      expect(await fixture.query(LETTERS)).toEqual([
        { offset: 3, name: 'not_early', state: '23514', column: null },
        { offset: 7, name: 'known', state: '23514', column: null },
        { offset: 8, name: 'known', state: '23514', column: null },
        { offset: 2999, name: 'not_early', state: '23514', column: null },
      ]);
      const [message] = await fixture.column('SELECT message FROM eos.dead_letters ORDER BY id');
      expect(message).toMatch(
        /^partition 0, offset 3: new row for relation "flights" violates check constraint "not_early": .*\(3,-1,ABQ\).* line \d+/,
      );
    }),
  );

  test(
    'finds besides what other constraints reject, and what a condition of COPY cannot see',
    onTable(async (fixture) => {
      const session = await openWarned(fixture);
      const spoiled = {
        2: EARLY,
        4: { delay: 16, origin: 'SEA' },
        5: { id: null },
        6: { origin: 'XXX' },
        13: { delay: 0 },
        20: EARLY,
      };
      await commit(session, { rows: rowsWith(30, spoiled) });
      expect(await fixture.column(ids)).toEqual([...Array(30).keys()].filter((id) => !(id in spoiled)));
      expect(
        await fixture.column('SELECT constraint_name FROM eos.dead_letters ORDER BY row_offset'),
      ).toEqual(['not_early', 'not_both', null, 'known', 'whole', 'not_early']);
    }),
  );

  test(
    'takes what a constraint would have rejected that is gone',
    onTable(async (fixture) => {
      const session = await openWarned(fixture);
      await fixture.query('ALTER TABLE flights DROP CONSTRAINT not_early');
      await commit(session, { rows: rowsWith(10, { 2: EARLY, 5: { origin: 'XXX' } }) });
      expect(await fixture.column('SELECT row_offset::int FROM eos.dead_letters')).toEqual([5]);
      expect(await fixture.column('SELECT id FROM flights WHERE delay < 0')).toEqual([2]);
    }),
  );

  test(
    'leaves no row out that it is not told of',
    onTable(async (fixture) => {
      const session = await openWarned(fixture);
      await fixture.query(`
        CREATE FUNCTION drop_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
        CREATE TRIGGER drop_row BEFORE INSERT ON flights FOR EACH ROW WHEN (NEW.id = 3) EXECUTE FUNCTION drop_row()`);
      const error = await failureOf(commit(session, { rows: rowsWith(10, {}) }));
      expect(error).toMatchObject({ code: 'EOS_UNAVAILABLE', retryable: true });
      expect(await fixture.column(ids)).toEqual([]);
    }),
  );

  test(
    'works where notices are not sent by default',
    onTable(async (fixture) => {
      const [database] = await fixture.column('SELECT current_database()');
      await fixture.query(`ALTER DATABASE "${String(database)}" SET client_min_messages = error`);
      const session = await openWarned(fixture);
      await commit(session, { rows: rowsWith(10, { 2: EARLY }) });
      expect(await fixture.column('SELECT row_offset::int FROM eos.dead_letters')).toEqual([2]);
      expect(await fixture.column(ids)).toHaveLength(9);
    }),
  );
});
