import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Op, rowSchema, t } from '@eos/core';
import { describeWithService } from '@eos/services';
import { commit, failureOf, withDatabase, type Fixture, type Row } from '../database.testing.js';
import type { PostgresSinkOptions } from '../index.js';
import { ROW_HASH } from './row-hash.js';
import { addRowHash } from './row-hash.testing.js';

const { insert, delete: remove } = Op;

/** Types with values that the server takes as equal though they are written differently, and with others that differ from them. */
const EQUAL: readonly (readonly [type: string, equal: readonly unknown[], other: readonly unknown[]])[] = [
  ['numeric', ['1.0', '1.00', '+1'], ['1.01', '-1', null]],
  ['double precision', [0, -0], [5e-324, NaN, null]],
  ['double precision', [NaN, NaN], [Infinity, null]],
  [
    'jsonb',
    [
      { a: 1, b: [null] },
      { b: [null], a: 1 },
    ],
    [{ a: 1, b: [] }, [], 'a'],
  ],
  ['timestamptz', [new Date(1000), 1_000_000n], [1_000_001n, null]],
  ['uuid', ['123E4567-E89B-12D3-A456-42661417400A', '123e4567-e89b-12d3-a456-42661417400a'], [null]],
  ['char(3)', ['a', 'a '], ['b', null]],
  ['text', ['a', 'a'], ['A', 'a ', '', null]],
  ['text COLLATE loose', ['a', 'A'], ['b', null]],
  ['citext', ['a', 'A'], ['b', null]],
  ['citext[]', ['{a,NULL}', '{A, null}'], ['{a}', '{NULL,a}', null]],
  ['numeric[]', ['{1.0,2}', '{1.00,2}'], ['{2,1}', '[0:1]={1.0,2}', '{{1.0,2}}', '{}']],
  ['interval', ['1 mon', '30 days'], ['31 days', null]],
  ['inet', ['10.0.0.1', '10.0.0.1/32'], ['10.0.0.1/31', null]],
  ['money', ['1', '$1.00'], ['2', null]],
  ['tsvector', ['b a', 'a b'], ['a', null]],
  ['bit(3)', ['101', '101'], ['100', null]],
  ['int4range', ['[1,3)', '[1,2]'], ['[1,4)', 'empty', null]],
  ['pair', ['(1.0,"x")', '(1.00,x)'], ['(1,)', '(,x)', null]],
  ['small', ['1.0', '1.00'], ['2', null]],
  ['xid', ['7', '7'], ['8', null]],
];

const TYPES = `
  CREATE EXTENSION citext;
  CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
  CREATE TYPE pair AS (a numeric, b text);
  CREATE DOMAIN small AS numeric CHECK (VALUE < 100)`;

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  const run = (work: (fixture: Fixture) => Promise<void>) => () => withDatabase(getService(), work);
  const rowsOf = (values: readonly unknown[]): Row[] => values.map((a) => ({ id: 1, a }));

  /** Opens a sink on table t, after it has been given what the refusal says. */
  async function session(fixture: Fixture, options: Partial<PostgresSinkOptions> = {}) {
    const sink = { table: 't', mode: 'retract', ...options } as const;
    if (options.requireRowHash !== false) await addRowHash(fixture, sink);
    return (await fixture.open(sink)).recover(['0']);
  }

  for (const requireRowHash of [true, false]) {
    describe(requireRowHash ? 'with eos_row_hash' : 'without eos_row_hash', () => {
      test(
        'rows are equal that the server takes as equal, and no others',
        run(async (fixture) => {
          await fixture.query(TYPES);
          for (const [type, equal, other] of EQUAL) {
            await fixture.query(`DROP TABLE IF EXISTS t; CREATE TABLE t (id int, a ${type})`);
            const open = await session(fixture, { requireRowHash, columns: ['id', 'a'] });
            await commit(open, { rows: rowsOf([...equal, ...equal, ...other]) });
            // Each is taken back as the next one is written, and once more in the same transaction as it comes.
            const turned = [...equal.slice(1), ...equal.slice(0, 1)];
            await commit(open, { rows: rowsOf(turned), ops: turned.map(() => remove) });
            await commit(open, { rows: rowsOf([equal[0], equal.at(-1)]), ops: [insert, remove] });
            const left = await fixture.column(`SELECT count(*)::int FROM t`);
            expect([type, left]).toEqual([type, [equal.length + other.length]]);
            await commit(open, {
              rows: rowsOf([...turned, ...other]),
              ops: [...turned, ...other].map(() => remove),
            });
            expect([type, await fixture.column(`SELECT a::text FROM t`)]).toEqual([type, []]);
            await fixture.query(`DELETE FROM eos.positions; DELETE FROM eos.claims`);
          }
        }),
        120_000,
      );

      test(
        'json is compared as text',
        run(async (fixture) => {
          await fixture.query('CREATE TABLE t (id int, a json)');
          const open = await session(fixture, { requireRowHash });
          await commit(open, { rows: rowsOf([{ a: 1, b: 2 }, { b: 2, a: 1 }, null]) });
          await commit(open, { rows: rowsOf([{ b: 2, a: 1 }, null]), ops: [remove, remove] });
          expect(await fixture.column('SELECT a::text FROM t')).toEqual(['{"a":1,"b":2}']);
        }),
      );

      test(
        'of rows in several partitions, at the same place in each, as many go as were taken back',
        run(async (fixture) => {
          await fixture.query(`
            CREATE TABLE t (id int, a text) PARTITION BY LIST (id);
            CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1);
            CREATE TABLE t2 (more int, a text, id int);
            ALTER TABLE t2 DROP COLUMN more;
            ALTER TABLE t ATTACH PARTITION t2 DEFAULT`);
          const open = await session(fixture, { requireRowHash });
          const rows = [1, 2, 3].flatMap((id) => ['a', 'a', 'b'].map((a) => ({ id, a })));
          await commit(open, { rows });
          const gone = [
            { id: 1, a: 'a' },
            { id: 2, a: 'a' },
            { id: 2, a: 'a' },
            { id: 3, a: 'b' },
          ];
          await commit(open, { rows: gone, ops: gone.map(() => remove) });
          expect(await fixture.column(`SELECT id || a FROM t ORDER BY 1`)).toEqual([
            '1a',
            '1b',
            '2b',
            '3a',
            '3a',
          ]);
        }),
      );

      test(
        'columns that are not written are not compared',
        run(async (fixture) => {
          await fixture.query(`
            CREATE TABLE t (id int, number bigserial PRIMARY KEY, a text, made timestamptz DEFAULT now(), shape xml)`);
          const open = await session(fixture, { requireRowHash, columns: ['id', 'a'] });
          await commit(open, { rows: rowsOf(['a', 'a', 'b']) });
          await commit(open, { rows: rowsOf(['a']), ops: [remove] });
          expect(await fixture.column('SELECT a FROM t ORDER BY 1')).toEqual(['a', 'b']);
        }),
      );

      test(
        'names may be anything, and what search_path holds changes nothing',
        run(async (fixture) => {
          await fixture.query(`
            CREATE FUNCTION public.never(int, int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT false';
            CREATE OPERATOR public.= (LEFTARG = int, RIGHTARG = int, FUNCTION = public.never);
            ALTER DATABASE "${fixture.client.database ?? ''}" SET search_path = public, pg_catalog;
            CREATE SCHEMA "Odd"; CREATE TABLE "Odd"."wanted" (id int, "SELECT" text, "c0" text, "hash" int, "a b""c" int)`);
          const open = await session(fixture, { requireRowHash, table: { schema: 'Odd', name: 'wanted' } });
          const row = { id: 1, SELECT: 'x', c0: 'y', hash: 2, 'a b"c': 3 };
          await commit(open, { rows: [row, row, { ...row, 'a b"c': 4 }] });
          await commit(open, { rows: [row], ops: [remove] });
          expect(await fixture.column(`SELECT "a b""c" FROM "Odd"."wanted" ORDER BY 1`)).toEqual([3, 4]);
        }),
      );
    });
  }

  describe('is refused, with the reason', () => {
    const refusal = async (fixture: Fixture, table: string, options: Partial<PostgresSinkOptions> = {}) => {
      await fixture.query(`DROP TABLE IF EXISTS t; ${table}`);
      const { code, message } = await failureOf(fixture.open({ table: 't', mode: 'retract', ...options }));
      expect(code).toBe('EOS_SCHEMA');
      return message;
    };

    test(
      'a column whose type has no equality',
      run(async (fixture) => {
        await fixture.query('CREATE TYPE spot AS (at point)');
        for (const type of [
          'xml',
          'point',
          'box',
          'circle',
          'polygon',
          'path',
          'line',
          'lseg',
          'xml[]',
          'json[]',
          'spot',
        ]) {
          const message = await refusal(fixture, `CREATE TABLE t (id int, a ${type}, b text)`);
          expect(message).toContain(`"a" (${type})`);
        }
      }),
      60_000,
    );

    test(
      'a unique index or exclusion constraint on what is written, in a partition too',
      run(async (fixture) => {
        for (const table of [
          'CREATE TABLE t (id int PRIMARY KEY, a text)',
          'CREATE TABLE t (id int, a text); CREATE UNIQUE INDEX ON t (lower(a)) WHERE id > 0',
          'CREATE TABLE t (id int, a text, EXCLUDE USING hash (a WITH =))',
          `CREATE TABLE t (id int, a text) PARTITION BY LIST (id); CREATE TABLE t1 PARTITION OF t DEFAULT; CREATE UNIQUE INDEX ON t1 (a)`,
        ]) {
          expect(await refusal(fixture, table)).toContain('unique index or exclusion constraint');
        }
      }),
    );

    test(
      'a table without the hash, unless that was asked for',
      run(async (fixture) => {
        expect(await refusal(fixture, 'CREATE TABLE t (id int, a text)')).toContain('requireRowHash: false');
      }),
    );

    test(
      'a hash that is not what Eos makes, of columns that are left out, or without an index',
      run(async (fixture) => {
        const hash = (row: string) =>
          `${ROW_HASH} bigint GENERATED ALWAYS AS (hash_record_extended(ROW(${row}), 0)) STORED`;
        for (const [column, reason] of [
          [`${ROW_HASH} bigint`, 'another way'],
          [`${ROW_HASH} bigint GENERATED ALWAYS AS (id) STORED`, 'another way'],
          [hash('id, a::varchar'), 'another way'],
          [hash('a, id'), 'another way'],
          [hash('id, a, more'), '"more", which the rows leave out'],
          [hash('id, a'), 'needs an index'],
        ] as const) {
          const table = `CREATE TABLE t (id int, a text, more int, ${column})`;
          expect(await refusal(fixture, table, { columns: ['id', 'a'] })).toContain(reason);
        }
      }),
    );

    test(
      'a key, and options that belong to it, as options',
      run(async (fixture) => {
        for (const [option, options] of [
          ['key', { mode: 'retract', key: ['id'] }],
          ['missingRow', { mode: 'append', missingRow: 'count' }],
          ['requireRowHash', { requireRowHash: false }],
        ] as const) {
          const failure = await failureOf(fixture.open({ table: 't', ...options }));
          expect(failure).toMatchObject({ code: 'EOS_CONFIG', details: { option } });
        }
      }),
    );
  });

  test(
    'a column that was added later is compared, though the hash does not know it',
    run(async (fixture) => {
      const narrow = rowSchema({ id: t.int64() });
      const wide = rowSchema({ id: t.int64(), a: t.string().nullable() });
      await (await fixture.open({ table: 't', mode: 'retract', schema: narrow })).recover(['0']);
      await fixture.query('ALTER TABLE t ADD a text');
      const open = await (await fixture.open({ table: 't', mode: 'retract', schema: wide })).recover(['0']);
      await commit(open, { rows: rowsOf(['a', 'b', null]) });
      await commit(open, { rows: rowsOf(['b', null]), ops: [remove, remove] });
      expect(await fixture.column('SELECT a FROM t')).toEqual(['a']);
    }),
  );
});
