import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { rowSchema, t } from '@eos/core';
import { describeWithService } from '@eos/services';
import {
  commit,
  context,
  failureOf,
  prepared,
  rangeOf,
  withDatabase,
  type Fixture,
} from '../database.testing.js';

const schema = rowSchema({ id: t.int64(), note: t.string().nullable() });
const flights = { table: 'flights', schema };

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  const run = (work: (fixture: Fixture) => Promise<void>) => () => withDatabase(getService(), work);

  /** A table with one row and one position. */
  const used = (work: (fixture: Fixture) => Promise<void>) =>
    run(async (fixture) => {
      const sink = await fixture.open(flights);
      await commit(await sink.recover(['0']), { rows: [{ id: 1 }] });
      await sink.close();
      await work(fixture);
    });

  test(
    'is made with the types of the schema',
    run(async (fixture) => {
      const every = rowSchema({
        ...{
          a: t.boolean(),
          b: t.int32(),
          c: t.int64(),
          d: t.float64(),
          e: t.decimal(),
          f: t.decimal(10, 2),
        },
        ...{
          g: t.string(),
          h: t.bytes(),
          i: t.date(),
          j: t.timestamp(),
          k: t.json(),
          l: t.uuid().nullable(),
        },
      });
      await (await fixture.open({ table: 'every', schema: every })).recover(['0']);
      const columns = await fixture.query(`
        SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute
        WHERE attrelid = 'every'::regclass AND attnum > 0 ORDER BY attnum`);
      expect(
        columns.map(({ attname, format_type, attnotnull }) => [attname, format_type, attnotnull]),
      ).toEqual([
        ['a', 'boolean', true],
        ['b', 'integer', true],
        ['c', 'bigint', true],
        ['d', 'double precision', true],
        ['e', 'numeric', true],
        ['f', 'numeric(10,2)', true],
        ['g', 'text', true],
        ['h', 'bytea', true],
        ['i', 'date', true],
        ['j', 'timestamp with time zone', true],
        ['k', 'jsonb', true],
        ['l', 'uuid', false],
      ]);
    }),
  );

  test(
    'that was dropped and made again by hand stops the pipeline, and so does one that Eos would have to make again',
    used(async (fixture) => {
      await fixture.query('DROP TABLE flights');
      expect(await failureOf(fixture.open(flights))).toMatchObject({
        code: 'EOS_TARGET_CHANGED',
        retryable: false,
      });
      expect(await fixture.column(`SELECT to_regclass('flights')`)).toEqual([null]);
      await fixture.query('CREATE TABLE flights (id bigint, note text)');
      const sink = await fixture.open(flights);
      expect((await failureOf(sink.recover(['0']))).code).toBe('EOS_TARGET_CHANGED');
      // A partition that never had a commit has nothing to lose.
      await commit(await (await fixture.open(flights, { ...context, sink: 'other' })).recover(['0']), {
        rows: [{ id: 1 }],
      });
    }),
  );

  test(
    'that is dropped and made again while the sink is open is noticed by the next claim',
    used(async (fixture) => {
      const sink = await fixture.open(flights);
      await (await sink.recover(['0'])).close();
      await fixture.query('DROP TABLE flights; CREATE TABLE flights (id bigint, note text)');
      expect((await failureOf(sink.recover(['0']))).code).toBe('EOS_TARGET_CHANGED');
    }),
  );

  test.each([
    ['dropped and made again', 'DROP TABLE flights'],
    ['renamed, with another put in its place', 'ALTER TABLE flights RENAME TO voyages'],
  ])('that is %s under a live session gets no row', (_name, swap) =>
    used(async (fixture) => {
      const session = await (await fixture.open(flights)).recover(['0']);
      await commit(session, { rows: [{ id: 2 }] });
      await fixture.query(`BEGIN; ${swap}; CREATE TABLE flights (id bigint, note text); COMMIT`);
      const transaction = await prepared(session, { rows: [{ id: 3 }] });
      const failure = await failureOf(transaction.commit(rangeOf(session, 3n)));
      expect(failure).toMatchObject({
        code: 'EOS_TARGET_CHANGED',
        outcome: 'aborted',
        retryable: false,
        details: { table: '"public"."flights"' },
      });
      expect(await fixture.column('SELECT id FROM flights')).toEqual([]);
      expect((await (await fixture.open(flights)).positions()).get('0')?.offset).toBe(2n);
    })(),
  );

  test(
    'that is replaced is no matter for a session that lost its claim, or whose position went back: they are told that',
    used(async (fixture) => {
      const sinks = [await fixture.open(flights), await fixture.open(flights)] as const;
      const zombie = await sinks[0].recover(['0']);
      await sinks[1].recover(['0']);
      await fixture.query('DROP TABLE flights; CREATE TABLE flights (id bigint, note text)');
      const late = await prepared(zombie, { rows: [{ id: 3 }] });
      expect((await failureOf(late.commit(rangeOf(zombie, 3n)))).code).toBe('EOS_FENCED');
    }),
  );

  test(
    'may be emptied, altered, renamed and moved to another schema: it stays the same',
    used(async (fixture) => {
      await fixture.query(`
        CREATE SCHEMA far; TRUNCATE flights; ALTER TABLE flights ADD more int; ALTER TABLE flights RENAME TO voyages;
        ALTER TABLE voyages SET SCHEMA far`);
      const voyages = { ...flights, table: 'far.voyages' };
      const session = await (await fixture.open(voyages)).recover(['0']);
      expect(session.positions.get('0')?.epoch).toBe(1n);
      await commit(session, { rows: [{ id: 2 }] });
      // Another table under the old name is another table, and takes nothing from the renamed one.
      const other = await fixture.open(flights, { ...context, sink: 'other' });
      await commit(await other.recover(['0']), { rows: [{ id: 1 }] });
      expect((await failureOf((await fixture.open(flights)).recover(['0']))).code).toBe('EOS_TARGET_CHANGED');
      expect((await (await fixture.open(voyages)).recover(['0'])).positions.get('0')?.epoch).toBe(2n);
    }),
  );

  test(
    'that is gone leaves no record that a table of the same number could take for its own',
    used(async (fixture) => {
      await fixture.query('DROP TABLE flights');
      await (await fixture.open({ ...flights, table: 'new' }, { ...context, sink: 'other' })).recover(['0']);
      expect(await fixture.column('SELECT object::text FROM eos.targets')).toEqual(['new']);
    }),
  );

  test(
    'and its record come back together from a dump',
    used(async (fixture) => {
      // What pg_dump writes and psql reads: a regclass goes by its name.
      const [target] = await fixture.query('TABLE eos.targets');
      const claims = await fixture.query('TABLE eos.claims');
      const positions = await fixture.query('TABLE eos.positions');
      expect(target).toMatchObject({ object: 'flights' });
      await withDatabase(getService(), async (restored) => {
        await restored.query('CREATE TABLE unrelated (); CREATE TABLE flights (id bigint, note text)');
        await (await restored.open(flights, { ...context, sink: 'first' })).recover(['0']);
        await restored.query(`
          DELETE FROM eos.targets;
          INSERT INTO eos.targets SELECT * FROM json_populate_recordset(null::eos.targets, '${JSON.stringify([target])}');
          INSERT INTO eos.claims SELECT * FROM json_populate_recordset(null::eos.claims, '${JSON.stringify(claims)}');
          INSERT INTO eos.positions SELECT * FROM json_populate_recordset(null::eos.positions, '${JSON.stringify(positions)}')`);
        const session = await (await restored.open(flights)).recover(['0']);
        expect(session.positions.get('0')?.epoch).toBe(1n);
      });
    }),
  );

  test.each([
    ['is missing', '', 'does not exist'],
    ['lacks a column', 'CREATE TABLE flights (id bigint)', 'no column "note"'],
    [
      'has a column of a type that does not hold the values',
      'CREATE TABLE flights (id int, note text)',
      'does not hold every int64',
    ],
    [
      'has a column that the rows cannot leave out',
      'CREATE TABLE flights (id bigint, note text, n int NOT NULL)',
      '"n"',
    ],
    [
      'has a column that the server makes',
      "CREATE TABLE flights (id bigint, note text GENERATED ALWAYS AS ('a') STORED)",
      'made by the server',
    ],
    [
      'a crash of the server would empty',
      'CREATE UNLOGGED TABLE flights (id bigint, note text)',
      'unlogged or temporary',
    ],
    [
      'has a partition that a crash of the server would empty',
      `CREATE TABLE flights (id bigint, note text) PARTITION BY RANGE (id);
       CREATE UNLOGGED TABLE flights_1 PARTITION OF flights FOR VALUES FROM (1) TO (2)`,
      'a partition of it is',
    ],
    ['is a view', 'CREATE VIEW flights AS SELECT 1::bigint AS id, null::text AS note', 'is no table'],
  ])('that %s is refused before the first row', (_name, definition, problem) =>
    withDatabase(getService(), async (fixture) => {
      if (definition !== '') await fixture.query(definition);
      const failure = await failureOf(fixture.open({ ...flights, create: false }));
      expect(failure).toMatchObject({ code: 'EOS_SCHEMA', retryable: false });
      expect(failure.message).toContain(problem);
    }),
  );
});
