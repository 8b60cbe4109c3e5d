import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { rowSchema, t } from '@eos/core';
import { describeWithService } from '@eos/services';
import { commit, failureOf, withDatabase, type Fixture, type Row } from '../database.testing.js';
import { postgresSink } from '../index.js';
import { early, fill, ids, lettersOf, listed } from './dead-letters.testing.js';

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  const onDatabase = (work: (fixture: Fixture) => Promise<void>) => () => withDatabase(getService(), work);

  test.each<[name: string, query: Readonly<Record<string, unknown>>]>([
    ['limit', { limit: '1; DROP TABLE flights; --' }],
    ['limit', { limit: 0 }],
    ['limit', { limit: -1 }],
    ['limit', { limit: 1.5 }],
    ['limit', { limit: NaN }],
    ['limit', { limit: null }],
    ['ids', { ids: ['1); DROP TABLE flights; --'] }],
    ['ids', { ids: [['1']] }],
    ['partition', { partition: ["'; DROP TABLE flights; --"] }],
  ])('what is asked for is checked: %s %p', (name, query) =>
    withDatabase(getService(), async (fixture) => {
      await fill(fixture, early(2));
      const letters = await lettersOf(fixture);
      for (const call of [listed(letters, query), letters.replay(query)]) {
        const error = await failureOf(call);
        expect([error.code, error.details['option']]).toEqual(['EOS_CONFIG', name]);
      }
      expect(await listed(letters, { limit: Infinity })).toHaveLength(2);
      expect(await fixture.column(ids)).toEqual([]);
      await letters.close();
    }),
  );

  test(
    'halves of surrogate pairs are kept, wherever they are, and told apart from their escapes',
    onDatabase(async (fixture) => {
      const halves = ['\ud800', '\udbff', '\udc00', '\udfff'];
      await fixture.query('CREATE TABLE notes (id int, note text, more jsonb)');
      const schema = rowSchema({ id: t.int32(), note: t.string().nullable(), more: t.json().nullable() });
      const options = { table: 'notes', schema, badRows: 'dead-letter', maxBadRows: Infinity } as const;
      const rows: Row[] = halves.flatMap((half) => [
        { id: 1, note: `a${half}b` },
        { id: 2, more: { a: [`x${half}`] } },
        { id: 3, more: { [half]: 1 } },
        { id: 'no number', [half]: 1 },
      ]);
      const session = await (await fixture.open(options)).recover(['0']);
      await commit(session, {
        rows: [...rows, { id: 4, note: '\\udc00', more: ['\\udc00', '\ud83d\udca1'] }],
      });
      const letters = await lettersOf(fixture, options);
      expect((await listed(letters)).map(({ offset }) => Number(offset))).toEqual([...rows.keys()]);
      expect(await letters.replay()).toEqual({ replayed: 0, rejected: rows.length });
      await letters.close();
      expect(await fixture.query('SELECT * FROM notes')).toEqual([
        { id: 4, note: '\\udc00', more: ['\\udc00', '\ud83d\udca1'] },
      ]);
    }),
  );

  test(
    'two replays at once give no number twice, whatever isolation is the default',
    onDatabase(async (fixture) => {
      await fill(fixture, early(10));
      await fixture.query('ALTER TABLE flights DROP CONSTRAINT not_early');
      await fixture.query(`DO $$ BEGIN EXECUTE format(
        'ALTER DATABASE %I SET default_transaction_isolation = ''repeatable read''', current_database()); END $$`);
      // Both stand before their turn at once.
      await fixture.query('SELECT pg_advisory_lock(1701802801)');
      const boxes = [await lettersOf(fixture), await lettersOf(fixture)] as const;
      const replays = Promise.allSettled([
        boxes[0].replay({ ids: ['1', '3', '5'] }),
        boxes[1].replay({ ids: ['2', '4', '6', '7'] }),
      ]);
      await fixture.untilLocked('advisory', 2);
      await fixture.query('SELECT pg_advisory_unlock(1701802801)');
      // One may fence the other.
      await replays;
      const numbers =
        'SELECT replay_offset::int FROM eos.dead_letters WHERE replay_offset IS NOT NULL ORDER BY 1';
      expect(await fixture.column(numbers)).toEqual([0, 1, 2, 3, 4, 5, 6]);
      await boxes[0].replay();
      expect(await fixture.column(ids)).toEqual(Array.from({ length: 10 }, (_, id) => id));
      expect(await listed(boxes[0])).toEqual([]);
      for (const letters of boxes) await letters.close();
    }),
  );

  test(
    'makes what it needs, and replays, where transactions are read-only and serializable by default',
    onDatabase(async (fixture) => {
      await fixture.query(`DO $$ BEGIN
        EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database());
        EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = serializable', current_database()); END $$`);
      const schema = rowSchema({ id: t.int64() });
      const options = { table: 'flights', schema, create: true, badRows: 'dead-letter' } as const;
      const session = await (await fixture.open(options)).recover(['0']);
      await commit(session, { rows: [{ id: 1 }, { id: 'x' }] });
      await fixture.query(`UPDATE eos.dead_letters SET row = '{"id": 2}'`);
      const letters = await lettersOf(fixture, options);
      expect(await letters.replay()).toEqual({ replayed: 1, rejected: 0 });
      await letters.close();
      expect(await fixture.column(ids)).toEqual([1, 2]);
    }),
  );

  test(
    'a pipeline whose letters could never be replayed is refused before its first row',
    onDatabase(async (fixture) => {
      const options = { table: 'flights', badRows: 'dead-letter' } as const;
      await fixture.query('CREATE TABLE flights (id int)');
      const error = await failureOf(fixture.open(options, { pipeline: 'p'.repeat(116), sink: 'flights' }));
      expect([error.code, error.details['option']]).toEqual(['EOS_CONFIG', 'badRows']);
      const longest = { pipeline: 'p'.repeat(115), sink: 'flights' };
      await commit(await (await fixture.open(options, longest)).recover(['0']), { rows: [{ id: 'x' }] });
      const sink = postgresSink({ connection: fixture.database.url, ...options });
      const letters = await sink.abilities?.deadLetters?.(longest);
      await fixture.query(`UPDATE eos.dead_letters SET row = '{"id": 1}'`);
      expect(await letters?.replay()).toEqual({ replayed: 1, rejected: 0 });
      await letters?.close();
    }),
  );
});
