import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Op, rowSchema, t } from '@eos/core';
import { describeWithService } from '@eos/services';
import {
  batchOf,
  commit,
  context,
  failureOf,
  rangeOf,
  seed,
  withDatabase,
  type Row,
} from '../database.testing.js';
import { postgresSink, type RoutedSinkOptions } from '../index.js';
import { rowsByTable } from './routed-batch.js';

const orders = rowSchema({ id: t.int64(), total: t.decimal(12, 2) });
const clicks = rowSchema({ id: t.int64(), page: t.string().nullable() });
const connection = 'postgresql://localhost/none';
const by = (row: Row) => String(row['kind']);

/** Numbers in 0 … 2^32 - 1 that a seed repeats. */
function randomFrom(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state;
  };
}

describe('options', () => {
  const wrong: [string, Record<string, unknown>, string][] = [
    ['no function', { route: { by: 5, tables: { a: {} } } }, 'route.by'],
    ['no tables', { route: { by, tables: {} } }, 'route.tables'],
    ['a table beside the route', { table: 'a', route: { by, tables: { a: {} } } }, 'table'],
    ['retract', { mode: 'retract', route: { by, tables: { a: {} } } }, 'mode'],
    ['rows set aside', { badRows: 'skip', route: { by, tables: { a: {} } } }, 'badRows'],
    ['no key for upsert', { mode: 'upsert', route: { by, tables: { a: {} } } }, 'route.tables.a.key'],
    [
      'create without a schema',
      { route: { by, tables: { a: {}, 'b.c': { create: true } } } },
      'route.tables.b.c.create',
    ],
    ['a name with two dots', { route: { by, tables: { 'a.b.c': {} } } }, 'route.tables.a.b.c.table'],
  ];
  test.each(wrong)('%s is told with the name of the option', async (_name, options, option) => {
    const make = async () => {
      await Promise.resolve();
      // What a program in JavaScript may pass.
      postgresSink({ connection, ...options } as unknown as RoutedSinkOptions);
    };
    expect(await failureOf(make())).toMatchObject({ code: 'EOS_CONFIG', details: { option } });
  });

  test('rows have the types of the schemas', () => {
    const sink = postgresSink({
      connection,
      route: {
        by: (row) => ('total' in row ? 'orders' : 'clicks'),
        tables: { orders: { schema: orders }, clicks: { schema: clicks } },
      },
    });
    expect(sink.description).toBe('postgres "orders" and 1 more');
    expect(sink.capabilities).not.toHaveProperty('key');
    const keyed = postgresSink({
      connection,
      mode: 'upsert',
      key: ['id'],
      route: { by: () => 'a', tables: { a: {}, b: {} } },
    });
    expect(keyed.capabilities.key).toEqual(['id']);
  });
});

test('a batch is sorted by table, in its own order', () => {
  const random = randomFrom(seed);
  const names = Array.from({ length: 7 }, (_, index) => `t${index}`);
  const places = new Map(names.map((name, place) => [name, place]));
  for (let round = 0; round < 50; round += 1) {
    const rows = Array.from({ length: 1 + (random() % 40) }, (_, id) => ({
      id,
      kind: `t${random() % (1 + (round % 7))}`,
    }));
    const routed = rowsByTable(batchOf({ rows }), { by, places });
    const found = routed.map(({ table, rows: { places: at } }) => [
      names[table],
      [...(at ?? rows.keys())].map((place) => rows[place]?.id),
    ]);
    const expected = names.map((name) => [name, rows.flatMap(({ id, kind }) => (kind === name ? [id] : []))]);
    expect(found).toEqual(expected.filter(([, ids]) => ids?.length !== 0));
  }
});

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  const two = { route: { by, tables: { orders: { schema: orders }, clicks: { schema: clicks } } } };

  test('each row gets to its table, with the columns and the order of that', async () => {
    await withDatabase(getService(), async (fixture) => {
      await fixture.query('CREATE SCHEMA "Web"; CREATE TABLE "Web"."Page Views" (id serial, note text)');
      const views = { table: { schema: 'Web', name: 'Page Views' }, columns: ['note'] };
      const route = { by: 'kind', tables: { ...two.route.tables, views } };
      const sink = await fixture.open({ route });
      const session = await sink.recover(['0']);
      await commit(
        session,
        {
          rows: [
            { kind: 'clicks', id: 1, page: 'a' },
            { kind: 'orders', id: 7, total: '1.50' },
            { kind: 'views', note: 'first' },
            { kind: 'clicks', id: 1, page: null },
          ],
        },
        { rows: [{ kind: 'views', note: 'second' }] },
        { rows: [{ kind: 'clicks', id: 0, page: 'b' }] },
      );
      expect(await fixture.query('SELECT * FROM orders')).toEqual([{ id: '7', total: '1.50' }]);
      expect(await fixture.column('SELECT page FROM clicks ORDER BY ctid')).toEqual(['a', null, 'b']);
      expect(await fixture.column('SELECT note FROM "Web"."Page Views" ORDER BY id')).toEqual([
        'first',
        'second',
      ]);
      expect(await fixture.column('SELECT next_offset::int FROM eos.positions')).toEqual([1]);
    });
  }, 30_000);

  test('a row of no table, or one that a table rejects, is named, and nothing of its transaction stays', async () => {
    await withDatabase(getService(), async (fixture) => {
      await fixture.query(`
        CREATE SCHEMA other; CREATE TABLE items (id int CHECK (id < 10)); CREATE TABLE other.items (id int CHECK (id < 20))`);
      const sink = await fixture.open({ route: { by, tables: { items: {}, 'other.items': {} } } });
      const session = await sink.recover(['0']);
      const failing = async (rows: readonly Row[]) => {
        const transaction = await session.begin();
        const write = async () => {
          await transaction.write(batchOf({ rows }, 100));
          await transaction.prepare();
        };
        const error = await failureOf(write());
        await transaction.rollback();
        return error;
      };
      const good = { kind: 'items', id: 1 };
      expect(await failing([good, { kind: 'none', id: 1 }])).toMatchObject({
        code: 'EOS_ROW',
        details: { partition: '0', offset: 101n, route: 'none' },
      });
      const rejected = [good, { kind: 'other.items', id: 15 }, good, { kind: 'other.items', id: 25 }];
      expect(await failing(rejected)).toMatchObject({
        code: 'EOS_ROW',
        details: { partition: '0', offset: 103n, constraint: 'items_id_check' },
      });
      expect(await failing([good, { kind: 'other.items', id: 15 }, { kind: 'items', id: 15 }])).toMatchObject(
        {
          code: 'EOS_ROW',
          details: { offset: 102n },
        },
      );
      expect(await failing([good, { kind: 'items', id: 'x' }])).toMatchObject({
        code: 'EOS_ROW',
        details: { offset: 101n, column: 'id' },
      });
      const thrown = Object.defineProperty({ id: 1 }, 'kind', {
        get: () => {
          throw new Error('no kind');
        },
      });
      expect(await failing([good, thrown])).toMatchObject({ code: 'EOS_ROW', details: { offset: 101n } });
      await commit(session, { rows: [good] });
      expect(await fixture.column('SELECT id FROM items UNION ALL SELECT id FROM other.items')).toEqual([1]);
    });
  }, 30_000);

  test('large transactions over many tables are sent in parts, and rolled back as one', async () => {
    await withDatabase(getService(), async (fixture) => {
      const names = Array.from({ length: 12 }, (_, index) => `t${index}`);
      const schema = rowSchema({ id: t.int32(), note: t.string() });
      const tables = Object.fromEntries(names.map((name) => [name, { schema }]));
      const route = { by: (row: Row) => `t${Number(row['id']) % 12}`, tables };
      const sink = await fixture.open({ route });
      const session = await sink.recover(['0']);
      const note = 'n'.repeat(1000);
      const batch = (from: number) =>
        batchOf({ rows: Array.from({ length: 1000 }, (_, index) => ({ id: from + index, note })) }, from);
      const all = names
        .map((name) => `SELECT id, length(note) AS size, '${name}' AS name FROM ${name}`)
        .join(' UNION ALL ');
      const lost = await session.begin();
      for (let from = 0; from < 14_000; from += 1000) await lost.write(batch(from));
      await lost.rollback();
      const kept = await session.begin();
      for (let from = 0; from < 14_000; from += 1000) await kept.write(batch(from));
      await kept.prepare();
      expect(await fixture.query(all)).toEqual([]);
      await kept.commit(rangeOf(session, 14_000n));
      const found = await fixture.query(`
        SELECT count(*)::int, min(id), max(id), min(size), bool_and(name = 't' || id % 12) AS right FROM (${all}) AS r`);
      expect(found).toEqual(
        [{ count: 14_000, min: 0, max: 13_999, right: true }].map((row) => ({ ...row, min: 1000 })),
      );
    });
  }, 30_000);

  test(`changes of keys that move between tables end as the oracle says (seed ${seed})`, async () => {
    await withDatabase(getService(), async (fixture) => {
      const names = ['a', 'b', 'c', 'd'];
      const schema = rowSchema({ id: t.int32(), kind: t.string(), value: t.int32() });
      const route = { by, tables: Object.fromEntries(names.map((name) => [name, { schema }])) };
      const sink = await fixture.open({ mode: 'upsert', key: ['id'], route });
      const session = await sink.recover(['0']);
      const random = randomFrom(seed);
      const expected = new Map<number, Row>();
      for (let commits = 0; commits < 25; commits += 1) {
        const batches = Array.from({ length: 1 + (random() % 3) }, () => {
          const rows: Row[] = [];
          const ops: Op[] = [];
          for (let count = random() % 30; count >= 0; count -= 1) {
            const id = random() % 40;
            const old = expected.get(id);
            const row = { id, kind: names[random() % 4], value: random() % 1000 };
            const isDeleted = old !== undefined && random() % 4 === 0;
            if (old !== undefined) {
              rows.push(old);
              ops.push(isDeleted ? Op.delete : Op.updateBefore);
            }
            expected.delete(id);
            if (isDeleted) continue;
            rows.push(row);
            ops.push(old === undefined ? Op.insert : Op.updateAfter);
            expected.set(id, row);
          }
          return { rows, ops };
        });
        await commit(session, ...batches);
      }
      const selects = names.map((name) => `SELECT *, '${name}' AS place FROM ${name}`);
      const found = await fixture.query(`${selects.join(' UNION ALL ')} ORDER BY id`);
      const sorted = [...expected.values()].sort((left, right) => Number(left['id']) - Number(right['id']));
      expect(found).toEqual(sorted.map((row) => ({ ...row, place: row['kind'] })));
    });
  }, 30_000);

  test('a table joins later; one that was dropped and made again, or is gone, stops', async () => {
    await withDatabase(getService(), async (fixture) => {
      const { orders: first, clicks: second } = two.route.tables;
      const run = async (tables: Record<string, object>, kind: string) => {
        const sink = await fixture.open({ route: { by, tables } });
        const session = await sink.recover(['0']);
        await commit(session, { rows: [{ kind, id: 1, total: '1.00' }] });
        await sink.close();
      };
      const single = await fixture.open({ table: 'orders', schema: orders });
      await commit(await single.recover(['0']), { rows: [{ id: 1, total: '1.00' }] });
      await run({ orders: first }, 'orders');
      await run({ orders: first, clicks: second }, 'clicks');
      await run({ orders: first }, 'orders');
      await fixture.query('DROP TABLE clicks; CREATE TABLE clicks (id bigint, page text)');
      expect(await failureOf(run({ orders: first, clicks: second }, 'orders'))).toMatchObject({
        code: 'EOS_TARGET_CHANGED',
        message: expect.stringContaining('clicks'),
      });
      await fixture.query('DROP TABLE clicks');
      const gone = await failureOf(run({ orders: first, clicks: second }, 'orders'));
      expect(gone.code).toBe('EOS_TARGET_CHANGED');
      await run({ orders: first, views: { schema: clicks } }, 'views');
      // Another group of tables altogether.
      expect((await failureOf(run({ other: { schema: clicks } }, 'other'))).code).toBe('EOS_TARGET_CHANGED');
      expect(await fixture.column('SELECT count(*)::int FROM orders')).toEqual([3]);
    });
  }, 30_000);

  test('two routes to one table, and a table without its grant, are refused before the first row', async () => {
    await withDatabase(getService(), async (fixture) => {
      await fixture.query('CREATE TABLE one (id int)');
      const twice = await fixture.open({ route: { by, tables: { one: {}, 'public.one': {} } } });
      expect(await failureOf(twice.recover(['0']))).toMatchObject({
        code: 'EOS_CONFIG',
        details: { option: 'route.tables' },
      });
      const sink = await fixture.open({ route: { by, tables: { one: {} } } }, { ...context, sink: 'other' });
      await sink.recover(['0']);
      const user = { user: `writer_${fixture.database.database}`, password: 'p' };
      await fixture.query(`
        CREATE ROLE ${user.user} LOGIN PASSWORD 'p'; GRANT USAGE ON SCHEMA eos TO ${user.user};
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA eos TO ${user.user};
        CREATE TABLE two (id int); GRANT INSERT ON one TO ${user.user}`);
      try {
        const connection = fixture.urlOf(user);
        const poor = await fixture.open({ connection, route: { by, tables: { one: {}, two: {} } } });
        expect(await failureOf(poor.recover(['0']))).toMatchObject({
          code: 'EOS_PERMISSION',
          message: expect.stringContaining('"two"'),
        });
      } finally {
        await fixture.query(`DROP OWNED BY ${user.user}; DROP ROLE ${user.user}`);
      }
    });
  }, 30_000);
});
