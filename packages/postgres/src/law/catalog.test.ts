import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { rowSchema, t } from '@eos/core';
import { describeWithService } from '@eos/services';
import { commit, context, failureOf, withDatabase, type Fixture } from '../database.testing.js';

const schema = rowSchema({ id: t.int64(), note: t.string().nullable() });
const writer = { user: 'eos_writer', password: 'secret word' };

/** Has everything made that a sink needs, by the database's owner. */
async function made(fixture: Fixture, options: Parameters<Fixture['open']>[0], at = context): Promise<void> {
  const sink = await fixture.open(options, at);
  await sink.recover(['0']);
  await sink.close();
}

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  const run = (work: (fixture: Fixture) => Promise<void>) => () => withDatabase(getService(), work);

  /** A role without any grant; the server's, so it goes with the test. */
  const asWriter = (work: (fixture: Fixture, connection: string) => Promise<void>) =>
    run(async (fixture) => {
      await fixture.query(`CREATE ROLE ${writer.user} LOGIN PASSWORD '${writer.password}'`);
      try {
        await work(fixture, fixture.urlOf(writer));
      } finally {
        await fixture.query(`DROP OWNED BY ${writer.user}; DROP ROLE ${writer.user}`);
      }
    });

  test(
    'is made once, also by many at the same time',
    run(async (fixture) => {
      const claim = async () => (await fixture.open({ table: 'flights', schema })).recover(['0']);
      await Promise.all(Array.from({ length: 8 }, claim));
      expect(await fixture.column('SELECT count(*)::int FROM eos.targets')).toEqual([1]);
      const tables = `SELECT relname FROM pg_class WHERE relnamespace = 'eos'::regnamespace AND relkind = 'r' ORDER BY 1`;
      expect(await fixture.column(tables)).toEqual(['claims', 'positions', 'targets']);
    }),
  );

  test(
    'a role needs no more than the documented grants where all is there',
    asWriter(async (fixture, connection) => {
      for (const [mode, grants] of [
        ['append', 'INSERT'],
        ['upsert', 'SELECT, INSERT, UPDATE, DELETE'],
      ] as const) {
        const options = mode === 'append' ? { mode } : { mode, key: ['id'] };
        const at = { ...context, sink: mode };
        await made(fixture, { table: mode, schema, ...options }, at);
        await fixture.query(`
          REVOKE TEMPORARY ON DATABASE "${fixture.database.database}" FROM PUBLIC;
          GRANT USAGE ON SCHEMA eos TO eos_writer;
          GRANT SELECT ON eos.targets TO eos_writer;
          GRANT SELECT, INSERT, UPDATE ON eos.claims TO eos_writer;
          GRANT SELECT, INSERT, DELETE ON eos.positions TO eos_writer;
          GRANT ${grants} ON "${mode}" TO eos_writer`);
        if (mode === 'upsert') {
          const failure = await failureOf(
            (await fixture.open({ connection, table: mode, ...options }, at)).recover(['0']),
          );
          expect(failure).toMatchObject({
            code: 'EOS_PERMISSION',
            details: { missing: ['TEMPORARY ON DATABASE'] },
          });
          await fixture.query(`GRANT TEMPORARY ON DATABASE "${fixture.database.database}" TO eos_writer`);
        }
        const sink = await fixture.open({ connection, table: mode, ...options }, at);
        const session = await sink.recover(['0']);
        await commit(session, { rows: [{ id: 1 }] });
        await commit(session, { rows: [{ id: 2 }] });
        expect(await fixture.column(`SELECT id FROM "${mode}" ORDER BY 1`)).toEqual(['1', '2']);
        await sink.close();
      }
    }),
  );

  test(
    'what is missing is named',
    asWriter(async (fixture, connection) => {
      const open = async () =>
        failureOf((await fixture.open({ connection, table: 'flights', schema })).recover(['0']));
      expect((await open()).message).toContain('CREATE ON DATABASE');
      await made(fixture, { table: 'flights', schema });
      expect(await open()).toMatchObject({ code: 'EOS_PERMISSION', retryable: false });
      expect((await open()).details['missing']).toEqual(
        expect.arrayContaining(['USAGE ON SCHEMA eos', 'UPDATE ON eos.claims', 'DELETE ON eos.positions']),
      );
      await fixture.query(
        'GRANT USAGE ON SCHEMA eos TO eos_writer; GRANT ALL ON ALL TABLES IN SCHEMA eos TO eos_writer',
      );
      expect((await open()).details['missing']).toEqual(['INSERT ON "public"."flights"']);
      await fixture.query('REVOKE EXECUTE ON FUNCTION eos.commit_v2 FROM PUBLIC');
      expect((await open()).details['missing']).toEqual(['EXECUTE ON FUNCTION eos.commit_v2']);
    }),
  );

  test(
    'a wrong password, and a table that may not be made, are told as permissions, without the password',
    asWriter(async (fixture, connection) => {
      await made(fixture, { table: 'other', schema });
      await fixture.query(
        'GRANT USAGE ON SCHEMA eos TO eos_writer; GRANT ALL ON ALL TABLES IN SCHEMA eos TO eos_writer',
      );
      const wrong = fixture.urlOf({ ...writer, password: 'wrong secret' });
      for (const url of [wrong, connection]) {
        const opened = fixture.open({ connection: url, table: 'flights', schema });
        const failure = await failureOf(opened.then((sink) => sink.recover(['0'])));
        expect(failure).toMatchObject({ code: 'EOS_PERMISSION', retryable: false });
        expect(JSON.stringify([failure.message, failure.details])).not.toContain('secret');
      }
    }),
  );

  test(
    'that belongs to somebody else is refused: what lies in it would run with the rights of this role',
    asWriter(async (fixture, connection) => {
      const { database } = fixture.database;
      await fixture.query(`GRANT CREATE ON DATABASE "${database}" TO eos_writer`);
      const flights = { table: 'flights', schema };
      const theirs = await (await fixture.connect(writer)).query('CREATE SCHEMA eos');
      expect(theirs.command).toBe('CREATE');
      const foreign = ['schema eos of eos_writer'];
      expect(await failureOf((await fixture.open(flights)).recover(['0']))).toMatchObject({
        code: 'EOS_PERMISSION',
        details: { foreign },
      });
      await fixture.query('DROP SCHEMA eos');
      await made(fixture, flights);
      await fixture.query('ALTER FUNCTION eos.commit_v2 OWNER TO eos_writer');
      expect((await failureOf((await fixture.open(flights)).recover(['0']))).details).toEqual({
        foreign: ['commit_v2 of eos_writer'],
      });
      // To its owner it is no stranger.
      await fixture.query(
        'GRANT USAGE ON SCHEMA eos TO eos_writer; GRANT ALL ON ALL TABLES IN SCHEMA eos TO eos_writer',
      );
      await fixture.query('GRANT INSERT ON flights TO eos_writer');
      await (await fixture.open({ ...flights, connection })).recover(['0']);
    }),
  );

  test(
    'is written to without the time limits that a role or database has for other work',
    run(async (fixture) => {
      const names = `'statement_timeout', 'lock_timeout', 'idle_session_timeout', 'transaction_timeout'`;
      const [limits] = await fixture.column(`
        SELECT string_agg(format('ALTER DATABASE %I SET %I = %L', current_database(), name, '20s'), '; ')
        FROM pg_settings WHERE name IN (${names})`);
      await made(fixture, { table: 'flights', schema });
      await fixture.query(`
        ${String(limits)};
        CREATE TABLE seen (name text, setting text);
        CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          INSERT INTO seen SELECT name, setting FROM pg_settings WHERE name IN (${names}); RETURN NULL; END $$;
        CREATE TRIGGER look AFTER INSERT ON flights FOR EACH STATEMENT EXECUTE FUNCTION look()`);
      const seen = 'SELECT DISTINCT setting FROM seen ORDER BY 1';
      await commit(await (await fixture.open({ table: 'flights', schema })).recover(['0']), {
        rows: [{ id: 1 }],
      });
      expect(await fixture.column(seen)).toEqual(['0']);
      // What the caller asks for stays.
      await fixture.query('DELETE FROM seen');
      const connection = { connectionString: fixture.database.url, statement_timeout: 12_345 };
      const sink = await fixture.open({ table: 'flights', schema, connection });
      await commit(await sink.recover(['0']), { rows: [{ id: 2 }] });
      expect(await fixture.column(seen)).toContain('12345');
    }),
  );

  test(
    'is not made by whoever only reads positions, and a role that may only read gets them',
    asWriter(async (fixture, connection) => {
      const fresh = await fixture.open({ connection, table: 'flights', schema });
      expect(await fresh.positions()).toEqual(new Map());
      expect(
        await fixture.column(`SELECT coalesce(to_regnamespace('eos')::text, to_regclass('flights')::text)`),
      ).toEqual([null]);
      await commit(await (await fixture.open({ table: 'flights', schema })).recover(['0']), {
        rows: [{ id: 1 }],
      });
      expect(await failureOf(fresh.positions())).toMatchObject({
        code: 'EOS_PERMISSION',
        details: {
          missing: ['USAGE ON SCHEMA eos', 'SELECT ON eos.claims', 'SELECT ON eos.positions'],
        },
      });
      await fixture.query(
        'GRANT USAGE ON SCHEMA eos TO eos_writer; GRANT SELECT ON eos.claims, eos.positions TO eos_writer',
      );
      const reader = await fixture.open({ connection, table: 'flights', schema });
      expect((await reader.positions()).get('0')?.epoch).toBe(1n);
      const upsert = { mode: 'upsert', key: ['id'], create: false } as const;
      expect((await failureOf(fixture.open({ connection, table: 'flights', ...upsert }))).code).toBe(
        'EOS_SCHEMA',
      );
    }),
  );
});
