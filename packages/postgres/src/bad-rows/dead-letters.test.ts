import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { rowSchema, t, type OpName } from '@eos/core';
import { describeWithService } from '@eos/services';
import { batchOf, commit, withDatabase, type Fixture, type Row } from '../database.testing.js';
import { snapshotOf } from '../reader/table-reader.testing.js';
import { early, fill, ids, lettersOf, listed } from './dead-letters.testing.js';

const OP: readonly OpName[] = ['+I', '-U', '+U', '-D'];

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  const onDatabase = (work: (fixture: Fixture) => Promise<void>) => () => withDatabase(getService(), work);

  test(
    'lists what was set aside, the oldest first, page after page',
    onDatabase(async (fixture) => {
      await fill(fixture, [{ id: 'x', delay: 1 }, ...early(250), { id: 500, delay: 3 }]);
      const letters = await lettersOf(fixture);
      const all = await listed(letters);
      expect(all.map(({ offset }) => Number(offset))).toEqual([...all.keys()]);
      expect(all).toHaveLength(251);
      expect(all[0]).toMatchObject({
        partition: '0',
        op: '+I',
        row: { id: 'x', delay: 1 },
        code: 'EOS_ROW',
        column: 'id',
      });
      expect(all[1]?.message).toContain('not_early');
      expect(all[1]?.replayedAt).toBeUndefined();
      expect((await listed(letters, { limit: 120 })).map(({ id }) => id)).toEqual(
        all.slice(0, 120).map(({ id }) => id),
      );
      const some = all.slice(7, 9).map(({ id }) => id);
      expect((await listed(letters, { ids: some })).map(({ id }) => id)).toEqual(some);
      expect(await listed(letters, { partition: 'other' })).toEqual([]);
      await letters.close();
    }),
  );

  test(
    'there are none where nothing was ever written',
    onDatabase(async (fixture) => {
      const letters = await lettersOf(fixture);
      expect(await listed(letters)).toEqual([]);
      expect(await letters.replay()).toEqual({ replayed: 0, rejected: 0 });
      await letters.close();
    }),
  );

  test(
    'writes rows again once their reason is mended; what is rejected again waits on, with its new reason',
    onDatabase(async (fixture) => {
      await fill(fixture, [...early(30), { id: 30, delay: 'soon' }]);
      const letters = await lettersOf(fixture);
      expect(await letters.replay({ limit: 10 })).toEqual({ replayed: 0, rejected: 10 });
      expect(await listed(letters)).toHaveLength(31);
      await fixture.query(
        'ALTER TABLE flights DROP CONSTRAINT not_early, ADD CONSTRAINT few CHECK (id <> 7)',
      );
      expect(await letters.replay()).toEqual({ replayed: 29, rejected: 2 });
      const rest = await listed(letters);
      expect(rest.map(({ row }) => row)).toEqual([
        { id: 7, delay: -1 },
        { id: 30, delay: 'soon' },
      ]);
      expect(rest[0]?.message).toContain('few');
      expect(
        (await listed(letters, { withReplayed: true })).filter(({ replayedAt }) => replayedAt),
      ).toHaveLength(29);
      await fixture.query(
        `UPDATE eos.dead_letters SET row = jsonb_set(row, '{delay}', '12') WHERE row->>'delay' = 'soon'`,
      );
      expect(await letters.replay()).toEqual({ replayed: 1, rejected: 1 });
      expect(await letters.replay({ ids: [] })).toEqual({ replayed: 0, rejected: 0 });
      const expected = Array.from({ length: 31 }, (_, id) => id).filter((id) => id !== 7);
      expect(await fixture.column(ids)).toEqual(expected);
      expect(await fixture.column('SELECT delay FROM flights WHERE id = 30')).toEqual([12]);
      await letters.close();
    }),
  );

  test(
    'rows come back as they were',
    onDatabase(async (fixture) => {
      const schema = rowSchema({
        id: t.int64(),
        moment: t.timestamp().nullable(),
        raw: t.bytes().nullable(),
        ratio: t.float64().nullable(),
        note: t.json().nullable(),
        amount: t.decimal().nullable(),
      });
      const options = { schema, table: 'kinds', badRows: 'dead-letter' } as const;
      await fixture.query(`CREATE TABLE kinds (id bigint, moment timestamptz, raw bytea, ratio float8, note jsonb, amount numeric,
        CONSTRAINT shut CHECK (id IS NULL))`);
      const rows: Row[] = [
        {
          id: 2n ** 63n - 1n,
          moment: new Date('2024-02-29T12:00:00.123Z'),
          raw: Uint8Array.of(0, 255),
          ratio: NaN,
        },
        {
          id: -5n,
          moment: 1_709_208_000_000_001n,
          raw: null,
          ratio: -0,
          note: { a: [1, null, 'x'] },
          amount: '1.50',
        },
        { id: 3, note: 'plain', ratio: -Infinity },
      ];
      const sink = await fixture.open(options);
      await commit(await sink.recover(['0']), { rows });
      await fixture.query('ALTER TABLE kinds DROP CONSTRAINT shut');
      const letters = await lettersOf(fixture, options);
      expect(await letters.replay()).toEqual({ replayed: 3, rejected: 0 });
      await letters.close();
      const text = 'SELECT k::text FROM kinds k ORDER BY id';
      const replayed = await fixture.column(text);
      await fixture.query('TRUNCATE kinds');
      const next = await fixture.open(options, { pipeline: 'fresh', sink: 'flights' });
      await commit(await next.recover(['0']), { rows });
      expect(replayed).toEqual(await fixture.column(text));
    }),
  );

  test(
    'a replay keeps the ops of an upsert',
    onDatabase(async (fixture) => {
      const options = { mode: 'upsert', key: ['id'] } as const;
      await fixture.query(`CREATE TABLE flights (id int PRIMARY KEY, delay int); INSERT INTO flights VALUES (1, 1);
        CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not now'; END $$;
        CREATE TRIGGER no BEFORE INSERT OR UPDATE OR DELETE ON flights FOR EACH ROW EXECUTE FUNCTION no()`);
      const sink = await fixture.open({ table: 'flights', badRows: 'dead-letter', ...options });
      await commit(await sink.recover(['0']), { rows: [{ id: 1 }, { id: 2, delay: 2 }], ops: [3, 2] });
      await fixture.query('DROP TRIGGER no ON flights');
      const letters = await lettersOf(fixture, options);
      expect((await listed(letters)).map(({ op }) => op)).toEqual([OP[3], OP[2]]);
      expect(await letters.replay()).toEqual({ replayed: 2, rejected: 0 });
      expect(await fixture.query('SELECT * FROM flights')).toEqual([{ id: 2, delay: 2 }]);
      await letters.close();
    }),
  );

  test(
    'a replay that is killed in the middle of a commit, and replayed again, writes each row once',
    onDatabase(async (fixture) => {
      const count = 1_300;
      await fill(fixture, early(count));
      // The second commit stands still in the middle of its rows, until its process is gone.
      await fixture.query(`ALTER TABLE flights DROP CONSTRAINT not_early;
        CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          IF NEW.id = 1200 THEN PERFORM pg_advisory_xact_lock(7); END IF; RETURN NEW; END $$;
        CREATE TRIGGER wait BEFORE INSERT ON flights FOR EACH ROW EXECUTE FUNCTION wait();
        SELECT pg_advisory_lock(7)`);
      const file = fileURLToPath(new URL('../../testing/replay-child.mjs', import.meta.url));
      const child = spawn(process.execPath, [file, fixture.database.url], { stdio: 'inherit' });
      const exited = once(child, 'exit');
      const isWaiting = `SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 7 AND NOT granted`;
      while ((await fixture.query(isWaiting)).length === 0) await delay(20);
      child.kill('SIGKILL');
      await exited;
      await fixture.query('SELECT pg_advisory_unlock(7)');
      const letters = await lettersOf(fixture);
      // Nothing has marked what the first commit has written, and it does not wait any more.
      expect(await fixture.column('SELECT count(*)::int FROM flights')).toEqual([1000]);
      expect(await listed(letters)).toHaveLength(count - 1000);
      const snapshot = await snapshotOf(fixture, { table: 'flights', badRows: 'dead-letter' });
      const encoded = await snapshot.encoder()(batchOf({ rows: early(count) }));
      expect(encoded.deadLetters).toBe(count - 1000);
      await snapshot.close();
      expect(await letters.replay()).toEqual({ replayed: count - 1000, rejected: 0 });
      expect(await letters.replay()).toEqual({ replayed: 0, rejected: 0 });
      expect(await fixture.column(ids)).toEqual(Array.from({ length: count }, (_, id) => id));
      expect(await listed(letters)).toEqual([]);
      await letters.close();
    }),
    60_000,
  );
});
