import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Op, rowSchema, t } from '@eos/core';
import { describeWithService } from '@eos/services';
import { escapeIdentifier } from 'pg';
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

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  const run = (work: (fixture: Fixture) => Promise<void>) => () => withDatabase(getService(), work);

  describe('append', () => {
    test(
      'rows and position become visible together, and only with the commit',
      run(async (fixture) => {
        const sink = await fixture.open({ table: 'flights', schema });
        const session = await sink.recover(['0']);
        const transaction = await prepared(
          session,
          { rows: [{ id: 1n, note: 'tab\tand\\N' }] },
          { rows: [{ id: 2 }] },
        );
        expect(await fixture.query('TABLE flights')).toEqual([]);
        expect(await fixture.query('TABLE eos.positions')).toEqual([]);
        await transaction.commit(rangeOf(session, 2n));
        expect(await fixture.query('TABLE flights ORDER BY id')).toEqual([
          { id: '1', note: 'tab\tand\\N' },
          { id: '2', note: null },
        ]);
        expect(await sink.positions()).toEqual(session.positions);
        expect(session.positions.get('0')).toMatchObject({ epoch: 1n, offset: 2n, source: { file: 'a' } });
      }),
    );

    test(
      'names are taken as they are, in the schema that is named',
      run(async (fixture) => {
        const awkward = 'Größe "of" \'it\'; --.\\';
        const table = { schema: `My ${awkward}`, name: `Flights ${awkward}` };
        await fixture.query(`CREATE SCHEMA ${escapeIdentifier(table.schema)}`);
        const columns = rowSchema({
          ID: t.int64(),
          [awkward]: t.string(),
          change: t.string(),
          c0: t.string(),
        });
        const row = { ID: 1n, [awkward]: 'a', change: 'b', c0: 'c' };
        const sink = await fixture.open({ table, schema: columns });
        await commit(await sink.recover(['0']), { rows: [row] });
        const upserts = { mode: 'upsert', key: ['ID', awkward] } as const;
        const other = await fixture.open(
          { table: { ...table, name: 'Other' }, schema: columns, ...upserts },
          { ...context, sink: 'other' },
        );
        const session = await other.recover(['0']);
        await commit(session, { rows: [row] });
        await commit(session, { rows: [{ ...row, c0: 'd' }], ops: [Op.updateAfter] });
        const [first, second] = [table.name, 'Other'].map((name) =>
          [table.schema, name].map(escapeIdentifier).join('.'),
        );
        expect(await fixture.query(`TABLE ${String(first)}`)).toEqual([{ ...row, ID: '1' }]);
        expect(await fixture.query(`TABLE ${String(second)}`)).toEqual([{ ...row, ID: '1', c0: 'd' }]);
      }),
    );

    test(
      'a value that does not fit is told with partition, offset and column, and is cut short',
      run(async (fixture) => {
        const session = await (await fixture.open({ table: 'flights', schema })).recover(['0']);
        const transaction = await session.begin();
        const rows = [{ id: 1n }, { id: 2n, note: `secret ${'x'.repeat(500)}\0` }];
        const failure = await failureOf(transaction.write(batchOf({ rows }, 70)));
        expect(failure).toMatchObject({ code: 'EOS_ROW', retryable: false, outcome: 'aborted' });
        expect(failure.details).toEqual({ partition: '0', offset: 71n, column: 'note' });
        expect(failure.message).toMatch(/^partition 0, offset 71: column "note": .*NUL/);
        expect(failure.message.length).toBeLessThan(200);
        await transaction.rollback();
        await commit(session, { rows: [{ id: 1n }] });
        expect(await fixture.column('SELECT id FROM flights')).toEqual(['1']);
      }),
    );

    test(
      'a row that the server rejects is told with the offset that its line came from',
      run(async (fixture) => {
        await fixture.query("CREATE TABLE flights (id bigint PRIMARY KEY, note text CHECK (note <> 'no'))");
        const session = await (await fixture.open({ table: 'flights' })).recover(['0']);
        for (const [rows, offset, constraint] of [
          [[{ id: 3n }, { id: 4n, note: 'no' }], 1001n, 'flights_note_check'],
          [[{ id: 3n }, { id: 4n }, { id: 3n }], 1002n, 'flights_pkey'],
        ] as const) {
          const transaction = await session.begin();
          await transaction.write(batchOf({ rows: [{ id: 1n }, { id: 2n }] }, 500));
          await transaction.write(batchOf({ rows }, 1000));
          const failure = await failureOf(transaction.prepare());
          expect(failure).toMatchObject({ code: 'EOS_ROW', retryable: false, outcome: 'aborted' });
          expect(failure.details).toMatchObject({ partition: '0', offset, constraint });
          await transaction.rollback();
        }
        await commit(session, { rows: [{ id: 1n }] });
        expect(await fixture.column('SELECT id FROM flights')).toEqual(['1']);
      }),
    );

    test(
      'a value that an index cannot hold is told with its row',
      run(async (fixture) => {
        await fixture.query('CREATE TABLE flights (id bigint, note text UNIQUE)');
        const session = await (await fixture.open({ table: 'flights' })).recover(['0']);
        // Random digits, which do not compress.
        const note = Array.from({ length: 1000 }, () => Math.random().toString(36)).join('');
        const transaction = await session.begin();
        await transaction.write(batchOf({ rows: [{ id: 1n }, { id: 2n, note }] }, 500));
        const failure = await failureOf(transaction.prepare());
        expect(failure).toMatchObject({
          code: 'EOS_ROW',
          retryable: false,
          details: { offset: 501n, sqlState: '54000' },
        });
      }),
    );

    test(
      'a rejected row is found far into a large transaction, too',
      run(async (fixture) => {
        await fixture.query('CREATE TABLE flights (id bigint CHECK (id <> 1234567))');
        const session = await (await fixture.open({ table: 'flights' })).recover(['0']);
        const transaction = await session.begin();
        const write = async () => {
          for (let first = 1_000_000; first < 1_300_000; first += 10_000) {
            const rows = Array.from({ length: 10_000 }, (_, index) => ({ id: first + index }));
            await transaction.write(batchOf({ rows }, first));
          }
          await transaction.prepare();
        };
        const failure = await failureOf(write());
        expect(failure.code).toBe('EOS_ROW');
        expect(failure.details).toMatchObject({ offset: 1_234_567n });
      }),
    );

    test(
      'what is deferred is checked by prepare',
      run(async (fixture) => {
        await fixture.query(`
          CREATE TABLE airports (code text PRIMARY KEY);
          CREATE TABLE flights (id bigint, origin text REFERENCES airports DEFERRABLE INITIALLY DEFERRED)`);
        const session = await (await fixture.open({ table: 'flights' })).recover(['0']);
        const failure = await failureOf(prepared(session, { rows: [{ id: 1n, origin: 'OSL' }] }));
        expect(failure).toMatchObject({ code: 'EOS_ROW', details: { constraint: 'flights_origin_fkey' } });
      }),
    );

    test(
      'columns come from the table where no schema says them, those that the server makes are left out',
      run(async (fixture) => {
        await fixture.query(`
          CREATE DOMAIN grade AS numeric(5, 2) CHECK (VALUE >= 0);
          CREATE TYPE mood AS ENUM ('good', 'bad');
          CREATE TABLE t (
            n bigint GENERATED ALWAYS AS IDENTITY, small smallint, real4 real, g grade, m mood, words text[], place inet,
            local timestamp, fixed char(3), twice int GENERATED ALWAYS AS (small * 2) STORED)`);
        const session = await (await fixture.open({ table: 't' })).recover(['0']);
        const row = {
          ...{ small: 3, real4: 1.5, g: '12.50', m: 'good', words: '{a,"b c"}', place: '10.0.0.1/8' },
          ...{ local: new Date(Date.UTC(2024, 1, 29)), fixed: 'ab' },
        };
        await commit(session, { rows: [row] });
        expect(await fixture.query('SELECT *, local::text AS local, place::text AS place FROM t')).toEqual([
          { ...row, n: '1', twice: 6, words: ['a', 'b c'], local: '2024-02-29 00:00:00', fixed: 'ab ' },
        ]);
        const failure = await failureOf(prepared(session, { rows: [{ ...row, g: '1.005' }] }));
        expect(failure.details).toMatchObject({ column: 'g' });
      }),
    );

    test(
      'columns that are not named get their defaults',
      run(async (fixture) => {
        await fixture.query(`CREATE TABLE t (id bigserial, note text, state text NOT NULL DEFAULT 'new')`);
        const sink = await fixture.open({ table: 't', columns: ['note'] });
        await commit(await sink.recover(['0']), { rows: [{ note: 'a' }] });
        expect(await fixture.query('TABLE t')).toEqual([{ id: '1', note: 'a', state: 'new' }]);
        const all = await fixture.open({ table: 't' }, { ...context, sink: 'all' });
        const failure = await failureOf(prepared(await all.recover(['0']), { rows: [{ id: 1, note: 'a' }] }));
        expect(failure.details).toMatchObject({ column: 'state' });
      }),
    );

    test(
      'a transaction that was rolled back leaves its connection fit for the next one',
      run(async (fixture) => {
        const session = await (await fixture.open({ table: 'flights', schema })).recover(['0']);
        const steps = [
          () => session.begin(),
          async () => {
            const transaction = await session.begin();
            await transaction.write(batchOf({ rows: [{ id: 7n }] }));
            return transaction;
          },
          () => prepared(session, { rows: [{ id: 8n }] }),
        ];
        for (const step of [...steps, ...steps, ...steps]) await (await step()).rollback();
        await commit(session, { rows: [{ id: 1n }] });
        await commit(session, { rows: [{ id: 2n }] });
        expect(await fixture.column('SELECT id FROM flights ORDER BY id')).toEqual(['1', '2']);
      }),
    );

    test(
      'a rollback may overtake a write that waits for the server',
      run(async (fixture) => {
        const session = await (await fixture.open({ table: 'flights', schema })).recover(['0']);
        await fixture.query('BEGIN; LOCK TABLE flights');
        const transaction = await session.begin();
        const rows = Array.from({ length: 100_000 }, (_, id) => ({ id, note: 'x'.repeat(200) }));
        const write = transaction.write(batchOf({ rows })).catch(() => undefined);
        await fixture.untilLocked('relation');
        await transaction.rollback();
        await fixture.query('COMMIT');
        await write;
        await commit(session, { rows: [{ id: 1n }] });
        expect(await fixture.column('SELECT id FROM flights')).toEqual(['1']);
      }),
    );
  });
});
