import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Op, pipeline, iterableSource, type SinkSession } from '@eos/core';
import { describeWithService } from '@eos/services';
import { commit, failureOf, withDatabase, type Fixture, type Row } from '../database.testing.js';
import type { PostgresSinkOptions } from '../options.js';

/** Every way in which a table can reject a row. A row is good unless its note says otherwise. */
const TABLE = `
  CREATE TABLE parents (id int PRIMARY KEY);
  INSERT INTO parents VALUES (1), (2);
  CREATE DOMAIN small AS int CHECK (VALUE < 1000);
  CREATE TABLE flights (
    id int PRIMARY KEY,
    note text CHECK (note <> 'check'),
    size small,
    short varchar(5),
    parent int REFERENCES parents,
    late int REFERENCES parents DEFERRABLE INITIALLY DEFERRED,
    code text UNIQUE,
    span int4range,
    EXCLUDE USING gist (span WITH &&)
  );
  CREATE FUNCTION judge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.note = 'before' THEN RAISE EXCEPTION 'a trigger says no'; END IF;
    IF TG_WHEN = 'AFTER' AND NEW.note = 'after' THEN RAISE EXCEPTION 'too late' USING ERRCODE = '45000'; END IF;
    RETURN NEW;
  END $$;
  CREATE TRIGGER before BEFORE INSERT OR UPDATE ON flights FOR EACH ROW EXECUTE FUNCTION judge();
  CREATE TRIGGER after AFTER INSERT OR UPDATE ON flights FOR EACH ROW EXECUTE FUNCTION judge();
`;

/** What is wrong, by the SQLSTATE that the server gives to it. Those without are found before they are sent. */
const BAD: readonly (readonly [what: string, row: Row, sqlState?: string])[] = [
  ['a text for an integer', { size: 'x' }],
  ['an integer out of range', { size: 2 ** 31 }],
  ['a NUL', { note: 'a\0b' }],
  ['half of a surrogate pair', { note: '\ud800' }],
  ['the other half of one', { note: 'a\udc00b' }],
  ['a null in the key', { id: null }],
  ['CHECK', { note: 'check' }, '23514'],
  ['a domain', { size: 5000 }, '23514'],
  ['a text that is too long', { short: '123456' }],
  ['a type input', { span: '[1,' }, '22P02'],
  ['a foreign key', { parent: 9 }, '23503'],
  ['a deferred foreign key', { late: 9 }, '23503'],
  ['another unique key', { code: 'code 2' }, '23505'],
  ['an exclusion', { span: '[2,3)' }, '23P01'],
  ['a trigger before', { note: 'before' }, 'P0001'],
  ['a trigger after', { note: 'after' }, '45000'],
];

const good = (id: number): Row => ({
  id,
  note: `note ${id}`,
  parent: 1 + (id % 2),
  code: `code ${id}`,
  span: `[${id},${id + 1})`,
});

const FIRST = 1000;

/** Thirty good rows, with bad ones among them whose ids tell them apart; those that conflict come behind the one they conflict with. */
function mixed(bad: readonly Row[]): Row[] {
  const rows = Array.from({ length: 30 }, (_, id) => good(id));
  for (const [index, row] of bad.entries()) {
    const id = FIRST + index;
    rows.splice(5 + ((7 * (index + 1)) % (rows.length - 5)), 0, { ...good(id), ...row });
  }
  return rows;
}

type Options = Partial<PostgresSinkOptions>;

async function openSession(fixture: Fixture, options: Options): Promise<SinkSession<Row>> {
  const sink = await fixture.open({ table: 'flights', ...options });
  return await sink.recover(['0']);
}

const goodIds = Array.from({ length: 30 }, (_, id) => id);
const ids = `SELECT id FROM flights ORDER BY id`;

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  const onTable = (work: (fixture: Fixture) => Promise<void>) => async () => {
    await withDatabase(getService(), async (fixture) => {
      await fixture.query(TABLE);
      await work(fixture);
    });
  };

  for (const mode of ['append', 'upsert'] as const) {
    const options: Options = mode === 'upsert' ? { mode, key: ['id'] } : { mode };
    describe(`bad rows, ${mode}`, () => {
      test(
        'each kind by itself: one among many',
        onTable(async (fixture) => {
          const session = await openSession(fixture, { ...options, badRows: 'dead-letter' });
          for (const [what, row, sqlState] of BAD) {
            const rows = mixed([row]);
            await commit(session, { rows });
            const found = await fixture.column(ids);
            const letters = await fixture.query(
              'SELECT pipeline, sink, partition, row_offset, op, code, sql_state FROM eos.dead_letters',
            );
            const place = rows.findIndex(({ id }) => id === null || Number(id) >= FIRST);
            const where = { pipeline: 'orders', sink: 'flights', partition: '0', row_offset: String(place) };
            const letter = { ...where, op: '+I', code: 'EOS_ROW', sql_state: sqlState ?? null };
            expect({ what, found, letters }).toEqual({ what, found: goodIds, letters: [letter] });
            await fixture.query('TRUNCATE flights, eos.dead_letters');
          }
        }),
      );

      test(
        'all at once, in several batches and commits',
        onTable(async (fixture) => {
          const session = await openSession(fixture, { ...options, badRows: 'dead-letter' });
          const rows = mixed(BAD.map(([, row]) => row));
          const [first, second, third] = [rows.slice(0, 20), rows.slice(20, 33), rows.slice(33)];
          await commit(session, { rows: first }, { rows: second });
          await commit(session, { rows: third });
          expect(await fixture.column(ids)).toEqual(goodIds);
          const found = await fixture.column(`SELECT row->>'id' FROM eos.dead_letters ORDER BY 1`);
          const expected = BAD.map(([, row], index) => ('id' in row ? null : String(FIRST + index)));
          expect(found).toEqual([...expected.filter((id) => id !== null).sort(), null]);
        }),
      );

      test(
        'skip drops and counts them',
        onTable(async (fixture) => {
          const session = await openSession(fixture, { ...options, badRows: 'skip' });
          const transaction = await session.begin();
          await transaction.write({
            partition: '0',
            rows: mixed([{ note: 'check' }, { size: 'x' }, { parent: 7 }]),
          });
          await transaction.prepare();
          expect([...(transaction.rejected?.counts ?? [])]).toEqual([['0', 3]]);
          expect(transaction.rejected?.examples.map(({ code }) => code)).toEqual([
            'EOS_ROW',
            'EOS_ROW',
            'EOS_ROW',
          ]);
          await transaction.commit({
            from: session.positions,
            to: new Map([['0', { offset: 33n, source: {} }]]),
          });
          expect(await fixture.column(ids)).toEqual(goodIds);
          expect(await fixture.column(`SELECT to_regclass('eos.dead_letters')`)).toEqual([null]);
        }),
      );

      test(
        'a row whose parent comes later in the transaction is good, however it is cut',
        onTable(async (fixture) => {
          await fixture.query('ALTER TABLE flights ADD COLUMN after int REFERENCES flights (id)');
          const session = await openSession(fixture, { ...options, badRows: 'dead-letter' });
          const rows = mixed([{ note: 'check' }, { parent: 9 }]).map((row) => {
            const id = Number(row['id']);
            return { ...row, after: id < 15 ? 29 - id : null };
          });
          await commit(session, { rows });
          expect(await fixture.column(ids)).toEqual(goodIds);
          expect(await fixture.column('SELECT count(*)::int FROM eos.dead_letters')).toEqual([2]);
        }),
      );

      test(
        'a transaction of bad rows only moves the position',
        onTable(async (fixture) => {
          const session = await openSession(fixture, { ...options, badRows: 'dead-letter' });
          await commit(session, { rows: [{ id: 'x' }, 'no row' as unknown as Row] });
          await commit(session, { rows: [{ ...good(1), note: 'check' }] });
          await commit(session, { rows: [good(1)] });
          expect(await fixture.column(ids)).toEqual([1]);
          expect(await fixture.column('SELECT row FROM eos.dead_letters ORDER BY id')).toMatchObject([
            { id: 'x' },
            'no row',
            { note: 'check' },
          ]);
        }),
      );

      test(
        'more than maxBadRows stop the transaction, and leave nothing',
        onTable(async (fixture) => {
          const session = await openSession(fixture, { ...options, badRows: 'dead-letter', maxBadRows: 3 });
          const bad = Array.from({ length: 4 }, () => ({ note: 'check' }));
          await commit(session, { rows: mixed(bad.slice(1)) });
          const again = mixed(bad).map((row) => ({
            ...row,
            id: Number(row['id']) + 100,
            code: null,
            span: null,
          }));
          const error = await failureOf(commit(session, { rows: again }));
          expect(error).toMatchObject({
            code: 'EOS_ROW',
            retryable: false,
            details: { option: 'maxBadRows' },
          });
          expect(await fixture.column(ids)).toEqual(goodIds);
          expect(await fixture.column('SELECT count(*)::int FROM eos.dead_letters')).toEqual([3]);
        }),
      );
    });
  }

  describe('bad rows, upsert', () => {
    const options: Options = { mode: 'upsert', key: ['id'], badRows: 'dead-letter' };
    for (const [found, bad] of [
      ['here', { note: 'bad', size: 'x' }],
      ['by the server', { note: 'check' }],
    ] as const) {
      test(
        `a bad last change, found ${found}, leaves the good one before it`,
        onTable(async (fixture) => {
          const session = await openSession(fixture, options);
          const change = (note: string) => ({ ...good(1), note });
          await commit(session, {
            rows: [good(2), change('a'), change('b'), { ...good(1), ...bad }, good(3)],
          });
          expect(await fixture.column('SELECT note FROM flights WHERE id = 1')).toEqual(['b']);
          await commit(session, { rows: [change('c')] }, { rows: [{ ...good(1), ...bad }] });
          expect(await fixture.column('SELECT note FROM flights WHERE id = 1')).toEqual(['c']);
          await commit(session, { rows: [good(1), { ...good(1), ...bad }], ops: [Op.delete, Op.insert] });
          expect(await fixture.column('SELECT note FROM flights WHERE id = 1')).toEqual([]);
          expect(await fixture.column('SELECT op FROM eos.dead_letters')).toEqual(['+I', '+I', '+I']);
        }),
      );
    }
  });

  describe('what is about the table', () => {
    const cases = [
      ['a missing grant', 'REVOKE INSERT ON flights FROM writer', 'EOS_PERMISSION'],
      ['a missing table', 'DROP TABLE flights', 'EOS_SCHEMA'],
      ['a missing column', 'ALTER TABLE flights RENAME note TO other', 'EOS_SCHEMA'],
    ] as const;
    for (const [what, text, code] of cases) {
      test(
        `${what} is no bad row`,
        onTable(async (fixture) => {
          const [name] = await fixture.column('SELECT quote_ident(current_database())');
          await fixture.query(`
          DROP ROLE IF EXISTS writer; CREATE ROLE writer LOGIN PASSWORD 'secret'; GRANT CREATE ON DATABASE ${String(name)} TO writer;
          GRANT ALL ON flights, parents TO writer`);
          try {
            const connection = fixture.urlOf({ user: 'writer', password: 'secret' });
            const session = await openSession(fixture, { connection, badRows: 'skip' });
            await fixture.query(text);
            expect(
              await failureOf(commit(session, { rows: [good(1), { ...good(2), note: 'check' }] })),
            ).toMatchObject({ code });
          } finally {
            await fixture.query(
              `REASSIGN OWNED BY writer TO CURRENT_USER; DROP OWNED BY writer; DROP ROLE writer`,
            );
          }
        }),
      );
    }
  });

  test(
    'the run and its events tell how many rows were set aside',
    onTable(async (fixture) => {
      const { postgresSink } = await import('../index.js');
      const { subscribe, unsubscribe } = await import('node:diagnostics_channel');
      const seen: unknown[] = [];
      const listen = (message: unknown) => void seen.push(message);
      subscribe('eos:reject', listen);
      try {
        const sink = postgresSink({ connection: fixture.database.url, table: 'flights', badRows: 'skip' });
        const items = mixed([{ note: 'check' }, { size: 'x' }]);
        const result = await pipeline({
          id: 'orders',
          source: iterableSource({ items }),
          sinks: { sink },
        }).run({ signals: [] });
        expect(result).toMatchObject({ rows: 32, written: 32, rejected: 2 });
        expect(seen).toMatchObject([
          { pipeline: 'orders', sink: 'sink', rows: 2, examples: [{ code: 'EOS_ROW' }, { code: 'EOS_ROW' }] },
        ]);
      } finally {
        unsubscribe('eos:reject', listen);
      }
    }),
  );
});
