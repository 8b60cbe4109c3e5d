import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Op, rowSchema, t, type RowSchema } from '@eos/core';
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
import { postgresSink } from '../index.js';

const before = rowSchema({ id: t.int64(), name: t.string() });
const after = rowSchema({
  id: t.int64(),
  name: t.string(),
  'Note 1': t.string(),
  at: t.timestamp().nullable(),
});
const grown = { table: 'items', schema: after, evolution: 'add-nullable' } as const;

describe('options', () => {
  test.each([
    ['a policy that is none', { schema: after, evolution: 'widen' }],
    ['no schema', { evolution: 'add-nullable' }],
    ['the row hash of a retract', { schema: after, mode: 'retract', evolution: 'add-nullable' }],
  ])('%s is EOS_CONFIG', async (_name, options) => {
    const make = async () => {
      await Promise.resolve();
      postgresSink({ connection: 'postgresql://localhost/none', table: 'items', ...(options as object) });
    };
    expect(await failureOf(make())).toMatchObject({ code: 'EOS_CONFIG', details: { option: 'evolution' } });
  });
});

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  const withItems = (work: (fixture: Fixture) => Promise<void>) =>
    withDatabase(getService(), async (fixture) => {
      await fixture.query(
        `CREATE TABLE items (id bigint PRIMARY KEY, name text); INSERT INTO items VALUES (1, 'old')`,
      );
      await work(fixture);
    });
  const typesOf = (fixture: Fixture) =>
    fixture.column(`
      SELECT attname || ' ' || format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
      FROM pg_attribute WHERE attrelid = 'items'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`);

  test('fail: every missing column is told with the statement that adds them', async () => {
    await withItems(async (fixture) => {
      const error = await failureOf(fixture.open({ table: 'items', schema: after }));
      expect(error.code).toBe('EOS_SCHEMA');
      const [, statement = ''] = /(ALTER TABLE .*) — or/.exec(error.message) ?? [];
      await fixture.query(statement);
      const sink = await fixture.open({ table: 'items', schema: after });
      await commit(await sink.recover(['0']), { rows: [{ id: 2, name: 'b', 'Note 1': 'n', at: 0n }] });
      expect(await fixture.column('SELECT "Note 1" FROM items ORDER BY id')).toEqual([null, 'n']);
    });
  }, 30_000);

  test.each([{ mode: 'append' } as const, { mode: 'upsert', key: ['id'] } as const])(
    'add-nullable: they are there when a session begins ($mode)',
    async (mode) => {
      await withItems(async (fixture) => {
        const sink = await fixture.open({ ...grown, ...mode });
        expect(await typesOf(fixture)).toHaveLength(2);
        const session = await sink.recover(['0']);
        await commit(session, { rows: [{ id: 2, name: 'b', 'Note 1': 'n', at: 1n }] });
        expect(await typesOf(fixture)).toEqual([
          'id bigint NOT NULL',
          'name text',
          'Note 1 text',
          'at timestamp with time zone',
        ]);
        expect(await fixture.column('SELECT "Note 1" FROM items ORDER BY id')).toEqual([null, 'n']);
        // The column takes null, the schema does not.
        const missing = prepared(session, { rows: [{ id: 3, name: 'c', 'Note 1': null, at: null }] });
        expect(await failureOf(missing)).toMatchObject({ code: 'EOS_ROW', details: { column: 'Note 1' } });
      });
    },
    30_000,
  );

  test('add-nullable: tables of a route', async () => {
    await withItems(async (fixture) => {
      const tables = {
        items: { schema: after, evolution: 'add-nullable' },
        other: { schema: before },
      } as const;
      const sink = await fixture.open({ route: { by: () => 'items', tables } });
      await commit(await sink.recover(['0']), { rows: [{ id: 2, name: 'b', 'Note 1': 'n' }] });
      expect(await typesOf(fixture)).toHaveLength(4);
    });
  }, 30_000);

  test('add-nullable: processes that begin at once all succeed', async () => {
    await withItems(async (fixture) => {
      const sinks = await Promise.all(
        [0, 1, 2, 3].map((number) => fixture.open(grown, { ...context, sink: `copy${number}` })),
      );
      await Promise.all(
        sinks.map(async (sink, number) => {
          await commit(await sink.recover(['0']), { rows: [{ id: 10 + number, name: 'c', 'Note 1': 'n' }] });
        }),
      );
      expect(await typesOf(fixture)).toHaveLength(4);
      expect(await fixture.column('SELECT count(*)::int FROM items WHERE "Note 1" IS NOT NULL')).toEqual([4]);
    });
  }, 30_000);

  test('add-nullable: another role than the owner is told what to ask for', async () => {
    await withItems(async (fixture) => {
      const sink = await fixture.open({ table: 'items' }, { ...context, sink: 'first' });
      await sink.recover(['0']);
      const user = { user: `writer_${fixture.database.database}`, password: 'p' };
      await fixture.query(`
        CREATE ROLE ${user.user} LOGIN PASSWORD 'p'; GRANT USAGE ON SCHEMA eos TO ${user.user};
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA eos TO ${user.user};
        GRANT INSERT ON items TO ${user.user}`);
      try {
        const poor = await fixture.open({ ...grown, connection: fixture.urlOf(user) });
        const error = await failureOf(poor.recover(['0']));
        expect(error).toMatchObject({
          code: 'EOS_PERMISSION',
          message: expect.stringContaining('ALTER TABLE'),
        });
        expect(await typesOf(fixture)).toHaveLength(2);
      } finally {
        await fixture.query(`DROP OWNED BY ${user.user}; DROP ROLE ${user.user}`);
      }
    });
  }, 30_000);

  test('add-nullable: a table that somebody holds is given up in time, and tried again', async () => {
    await withItems(async (fixture) => {
      const holder = await fixture.connect();
      await holder.query('BEGIN; SELECT FROM items');
      const sink = await fixture.open({ ...grown, lockTimeoutMs: 50 });
      expect(await failureOf(sink.recover(['0']))).toMatchObject({
        code: 'EOS_UNAVAILABLE',
        retryable: true,
      });
      await holder.query('COMMIT');
      await sink.recover(['0']);
      expect(await typesOf(fixture)).toHaveLength(4);
    });
  }, 30_000);

  test('a type is not widened: the statement is told', async () => {
    await withDatabase(getService(), async (fixture) => {
      await fixture.query('CREATE TABLE items (id int, name text)');
      const schemas: RowSchema[] = [before, after];
      for (const schema of schemas) {
        const error = await failureOf(fixture.open({ table: 'items', schema, evolution: 'add-nullable' }));
        expect(error).toMatchObject({
          code: 'EOS_SCHEMA',
          message: expect.stringContaining('ALTER TABLE "public"."items" ALTER COLUMN "id" TYPE bigint'),
        });
      }
      expect(await typesOf(fixture)).toEqual(['id integer', 'name text']);
    });
  }, 30_000);

  describe('a table that is changed under a live session', () => {
    const modes = [{ mode: 'append' as const }, { mode: 'upsert' as const, key: ['id'] }];
    const changes: [string, string, string | undefined][] = [
      ['a column is added', 'ADD COLUMN extra int DEFAULT 7', undefined],
      ['a type is widened', 'ALTER COLUMN small TYPE bigint', undefined],
      ['a column is dropped', 'DROP COLUMN name', 'EOS_SCHEMA'],
      ['a column is renamed', 'RENAME COLUMN name TO title', 'EOS_SCHEMA'],
      ['a column that must have a value is added', 'ADD COLUMN extra int NOT NULL', 'EOS_ROW'],
      [
        'a type is changed to one that does not hold the value',
        'ALTER COLUMN small TYPE smallint',
        'EOS_ROW',
      ],
    ];
    for (const mode of modes) {
      test.each(changes)(
        `%s (${mode.mode})`,
        async (_name, change, code) => {
          await withDatabase(getService(), async (fixture) => {
            await fixture.query('CREATE TABLE items (id bigint PRIMARY KEY, name text, small int)');
            const sink = await fixture.open({ table: 'items', ...mode });
            const session = await sink.recover(['0']);
            // Both connections have written, and what they know of the table is old.
            await commit(session, { rows: [{ id: 1, name: 'a', small: 1 }] });
            await commit(session, { rows: [{ id: 2, name: 'b', small: 2 }] });
            await fixture.query(`DELETE FROM items; ALTER TABLE items ${change}`);
            const rows = [{ id: 3, name: 'c', small: 100_000 }];
            const ops = mode.mode === 'upsert' ? { ops: [Op.updateAfter] } : {};
            const writing = async () => {
              const transaction = await prepared(session, { rows, ...ops });
              await transaction.commit(rangeOf(session, 3n));
            };
            if (code === undefined) {
              await writing();
              expect(await fixture.query('SELECT id, name, small::int FROM items')).toEqual([
                { id: '3', name: 'c', small: 100_000 },
              ]);
            } else {
              expect((await failureOf(writing())).code).toBe(code);
              expect(await fixture.query('SELECT FROM items')).toEqual([]);
            }
          });
        },
        30_000,
      );
    }
  });
});
