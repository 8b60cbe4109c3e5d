import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Op, rowSchema, t, type Column, type SinkSession } from '@eos/core';
import { describeWithService } from '@eos/services';
import {
  batchOf,
  commit,
  context,
  failureOf,
  withDatabase,
  type Fixture,
  type Row,
} from '../database.testing.js';
import type { PostgresSinkOptions } from '../index.js';
import type { HeldType, Value } from './held-type.testing.js';
import { DEFINITIONS, TYPES } from './types.testing.js';

type Options = Pick<PostgresSinkOptions, 'mode' | 'key' | 'requireRowHash'>;

const append: Options = { mode: 'append' };
const upsert: Options = { mode: 'upsert', key: ['id'] };
const retract: Options = { mode: 'retract', requireRowHash: false };

interface Held extends HeldType {
  /** Name of its column. */
  readonly name: string;
}

const held = TYPES.map((type, index): Held => ({ ...type, name: `c${index}` }));

/** The column of a schema; undefined where no schema says it. */
function declared(type: Held): Column | undefined {
  const column = 'column' in type ? type.column : t.string();
  return type.isRequired === true ? column : column?.nullable();
}

/** A table, and one of the same columns for the oracle. */
async function makeTables(fixture: Fixture, types: readonly Held[], id: string): Promise<void> {
  const columns = types.map(({ name, type }) => `${name} ${type}`).join(', ');
  await fixture.query(
    `CREATE TABLE held (id int ${id}, ${columns}); CREATE TABLE oracle (id int, ${columns})`,
  );
}

/** The values of row `id` of every column: each is in some row, and all that may be null are so in one. */
function rowOf(types: readonly Held[], isNative: boolean, id: number): { row: Row; sql: string } {
  const cells = types.map(({ name, values, native = [], isRequired }): [string, unknown, string] => {
    const choices: readonly (Value | null)[] = [
      ...values,
      ...(isNative ? native : []),
      ...(isRequired === true ? [] : [null]),
    ];
    const value = choices[id % choices.length] ?? null;
    if (value === null) return [name, null, 'NULL'];
    return typeof value === 'string' ? [name, value, `'${value.replaceAll("'", "''")}'`] : [name, ...value];
  });
  return {
    row: { id, ...Object.fromEntries(cells.map(([name, value]) => [name, value])) },
    sql: `INSERT INTO oracle VALUES (${[id, ...cells.map(([, , sql]) => sql)].join(', ')})`,
  };
}

/** The columns in which the table differs from what INSERT made of the literals, with the texts of both. */
async function differences(fixture: Fixture, types: readonly Held[]): Promise<unknown[]> {
  const differing = types.map(
    ({ name, type }) => `
      SELECT '${type.replaceAll("'", "''")}' AS type, o.id, left(h.${name}::text, 100) AS found, left(o.${name}::text, 100) AS expected
      FROM oracle o FULL JOIN held h USING (id) WHERE h.${name}::text IS DISTINCT FROM o.${name}::text`,
  );
  return fixture.query(differing.join(' UNION ALL '));
}

const ROWS = Math.max(...held.map(({ values, native = [] }) => values.length + native.length)) + 1;

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  const run = (work: (fixture: Fixture) => Promise<void>) => () =>
    withDatabase(getService(), async (fixture) => {
      await fixture.query(DEFINITIONS);
      await work(fixture);
    });

  async function claimed(
    fixture: Fixture,
    types: readonly Held[],
    options: Options,
    hasSchema: boolean,
    name = context.sink,
  ): Promise<SinkSession<Row>> {
    const columns = types.map((type): [string, Column | undefined] => [type.name, declared(type)]);
    const known = columns.filter((entry): entry is [string, Column] => entry[1] !== undefined);
    const schema = rowSchema({ id: t.int32(), ...Object.fromEntries(known) });
    const sink = await fixture.open(
      { table: 'held', ...options, ...(hasSchema ? { schema, create: false } : {}) },
      { ...context, sink: name },
    );
    return sink.recover(['0']);
  }

  describe.each([
    ['the types of the table', false],
    ['a schema', true],
  ] as const)(
    'every value of every type, written by %s, is what an INSERT of its literal makes',
    (_by, hasSchema) => {
      const types = held.filter((type) => !hasSchema || declared(type) !== undefined);
      const rows = Array.from({ length: ROWS }, (_, id) => rowOf(types, !hasSchema, id));
      const wanted = rows.map(({ row }) => row);
      const oracle = rows.map(({ sql }) => sql).join('; ');

      test(
        'appended',
        run(async (fixture) => {
          await makeTables(fixture, types, '');
          await fixture.query(oracle);
          await commit(await claimed(fixture, types, append, hasSchema), { rows: wanted });
          expect(await differences(fixture, types)).toEqual([]);
        }),
      );

      test(
        'upserted, new and again',
        run(async (fixture) => {
          await makeTables(fixture, types, 'PRIMARY KEY');
          await fixture.query(oracle);
          const session = await claimed(fixture, types, upsert, hasSchema);
          await commit(session, { rows: wanted });
          expect(await differences(fixture, types)).toEqual([]);
          // Each row takes the values of the one before it: by way of the staging table.
          const shifted = wanted.map((row, id) => ({ ...row, id: (id + 1) % ROWS }));
          await commit(session, { rows: shifted, ops: shifted.map(() => Op.updateAfter) });
          await fixture.query(`UPDATE oracle SET id = (id + 1) % ${ROWS}`);
          expect(await differences(fixture, types)).toEqual([]);
        }),
      );

      test(
        'and retracted, where the type has an equality',
        run(async (fixture) => {
          const equal = types.filter(({ hasEquality }) => hasEquality !== false);
          for (const isHashedOnly of [false, true]) {
            const some = equal.filter((type) => (type.isHashedOnly ?? false) === isHashedOnly);
            const cells = Array.from({ length: ROWS }, (_, id) => rowOf(some, !hasSchema, id));
            const all = cells.map(({ row }) => row);
            await fixture.query('DROP TABLE IF EXISTS held, oracle');
            await makeTables(fixture, some, '');
            await fixture.query(cells.map(({ sql }) => sql).join('; '));
            const sink = isHashedOnly ? 'hashed' : 'ordered';
            const session = await claimed(fixture, some, retract, hasSchema, sink);
            await commit(session, { rows: [...all, ...all] });
            await commit(session, { rows: all, ops: all.map(() => Op.delete) });
            expect(await differences(fixture, some)).toEqual([]);
            expect(await fixture.column('SELECT count(*)::int FROM held')).toEqual([ROWS]);
          }
        }),
      );
    },
  );

  test(
    'what a type does not hold is EOS_ROW, with the row it is in',
    run(async (fixture) => {
      await makeTables(fixture, held, 'PRIMARY KEY');
      const { row } = rowOf(held, false, 0);
      for (const options of [append, upsert]) {
        const session = await claimed(fixture, held, options, false);
        const taken: unknown[] = [];
        for (const { name, type, refused = [] } of held) {
          for (const value of refused) {
            const transaction = await session.begin();
            const writing = async () => {
              await transaction.write(batchOf({ rows: [{ ...row, [name]: value }] }, 700));
              await transaction.prepare();
            };
            const failure = await failureOf(writing()).catch(() => undefined);
            const { partition, offset } = failure?.details ?? {};
            if (failure?.code !== 'EOS_ROW' || partition !== '0' || offset !== 700n) {
              taken.push([type, value, failure?.code, failure?.message]);
            }
            await transaction.rollback();
          }
        }
        expect(taken).toEqual([]);
        await session.close();
      }
    }),
    120_000,
  );

  test(
    'a type that a mode cannot work with is EOS_SCHEMA before the first row',
    run(async (fixture) => {
      const wrong: unknown[] = [];
      const code = (call: Promise<unknown>) =>
        failureOf(call).then(
          (failure) => failure.code,
          () => 'taken',
        );
      await makeTables(fixture, held, '');
      for (const { name, type } of held.filter(({ hasEquality }) => hasEquality === false)) {
        const told = await code(fixture.open({ table: 'held', ...retract, columns: ['id', name] }));
        if (told !== 'EOS_SCHEMA') wrong.push([type, told]);
      }
      const mixed = held.filter(({ type, isHashedOnly }) => isHashedOnly === true || type === 'tsvector');
      const columns = mixed.map(({ name }) => name);
      expect(mixed).toHaveLength(2);
      const sink = await fixture.open({ table: 'held', ...retract, columns });
      expect(await code(sink.recover(['0']))).toBe('EOS_SCHEMA');
      for (const { name, type, isKey = false, hasEquality } of held) {
        // What has no equality can have no unique index either.
        const indexed = await fixture.query(`CREATE UNIQUE INDEX ON held (${name})`).then(
          () => true,
          () => false,
        );
        if (!indexed && hasEquality !== false && isKey) wrong.push([type, 'cannot be indexed']);
        if (!indexed) continue;
        const told = await code(
          fixture.open({ table: 'held', mode: 'upsert', key: [name] }).then((sink) => sink.close()),
        );
        if (told !== (isKey ? 'taken' : 'EOS_SCHEMA')) wrong.push([type, told]);
      }
      expect(wrong).toEqual([]);
    }),
    120_000,
  );

  test.each([
    ['smallint', t.int32()],
    ['integer', t.int64()],
    ['numeric', t.float64()],
    ['real', t.float64()],
    ['text', t.int32()],
    ['date', t.timestamp()],
    ['timestamptz', t.date()],
    ['bytea', t.json()],
    ['mood', t.uuid()],
    ['int[]', t.int32()],
    ['positive', t.int64()],
  ])(
    'a schema that says more than a column of type %s holds is EOS_SCHEMA before the first row',
    (type, column) =>
      run(async (fixture) => {
        await fixture.query(`CREATE TABLE held (v ${type})`);
        const opening = fixture.open({ table: 'held', schema: rowSchema({ v: column }), create: false });
        expect((await failureOf(opening)).code).toBe('EOS_SCHEMA');
      })(),
  );
});
