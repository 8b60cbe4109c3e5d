import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { rowSchema, t, type Column } from '@eos/core';
import { describeWithService } from '@eos/services';
import { batchOf, commit, failureOf, withDatabase, type Fixture } from '../database.testing.js';

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  const run = (work: (fixture: Fixture) => Promise<void>) => () => withDatabase(getService(), work);

  describe('the key of an upsert', () => {
    const refusal = (fixture: Fixture, table: string, key: readonly string[]) =>
      failureOf(fixture.open({ table, mode: 'upsert', key }));

    test.each([
      ['no unique index', 'id bigint'],
      ['one on more columns', 'id bigint, n int, UNIQUE (id, n)'],
      ['one that is deferrable', 'id bigint UNIQUE DEFERRABLE'],
    ])('needs a unique index of its own: %s', (_name, columns) =>
      withDatabase(getService(), async (fixture) => {
        await fixture.query(`CREATE TABLE t (${columns})`);
        const failure = await refusal(fixture, 't', ['id']);
        expect(failure.code).toBe('EOS_SCHEMA');
        expect(failure.message).toContain('ALTER TABLE "public"."t" ADD PRIMARY KEY ("id")');
      }),
    );

    test(
      'may not rest on a partial index, or on one of an expression',
      run(async (fixture) => {
        await fixture.query(
          'CREATE TABLE t (id bigint); CREATE UNIQUE INDEX ON t (id) WHERE id > 0; CREATE UNIQUE INDEX ON t (abs(id))',
        );
        expect((await refusal(fixture, 't', ['id'])).code).toBe('EOS_SCHEMA');
      }),
    );

    test(
      'may not be of a type whose equality only the server knows',
      run(async (fixture) => {
        await fixture.query(`
          CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
          CREATE TABLE t (a text COLLATE any_case UNIQUE, b inet UNIQUE, c jsonb UNIQUE, d interval UNIQUE, e real UNIQUE,
            h int[] UNIQUE, ok text UNIQUE)`);
        for (const name of ['a', 'b', 'c', 'd', 'e', 'h']) {
          const failure = await refusal(fixture, 't', [name]);
          expect([name, failure.code]).toEqual([name, 'EOS_SCHEMA']);
        }
        await fixture.open({ table: 't', mode: 'upsert', key: ['ok'] });
      }),
    );

    test(
      'must be among what is written',
      run(async (fixture) => {
        await fixture.query('CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text)');
        expect((await refusal(fixture, 't', ['id'])).message).toContain('leave out the column "id"');
        expect((await refusal(fixture, 't', ['nothing'])).code).toBe('EOS_SCHEMA');
      }),
    );
  });

  /** Each list holds keys of which the server may take some as equal. */
  const alike: readonly (readonly [type: string, column: Column | undefined, keys: readonly unknown[]])[] = [
    ['bigint', undefined, [1, 1n, 0, -0, 0n, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n), 2n ** 63n - 1n]],
    ['numeric', t.int64(), [1, 1n, -0, 0n, 2n ** 62n]],
    [
      'numeric',
      undefined,
      ['1', '1.0', '+1.00', '01', '-1', '0', '-0', '-0.00', '.5', '0.50', '10', '100', '1.'],
    ],
    ['numeric(6, 2)', undefined, ['1', '1.0', '1.000', '1.10', '1.1', '-1.1']],
    [
      'double precision',
      undefined,
      [0, -0, 0.1, 1e21, 1e-7, NaN, Infinity, -Infinity, 100, 1e2, 0.30000000000000004, 0.3],
    ],
    ['timestamptz', undefined, [new Date(5), 5000n, 5001n, new Date(-1), -1000n, 0n, new Date(0)]],
    ['timestamp', undefined, [new Date(5), 5000n, 5001n, 'infinity', Infinity, -Infinity]],
    ['timestamp(3)', undefined, [new Date(5), 5000n, 6000n]],
    [
      'date',
      undefined,
      ['2024-02-29', '2024-03-01', '0001-01-01', '0001-01-01 BC', '10000-01-01', 'infinity', Infinity],
    ],
    ['numeric', undefined, ['NaN', 'Infinity', '-Infinity', '0', '1']],
    ['numeric(5, -1)', undefined, ['10', '0010', '10.0', '0', '-0.0', '120']],
    ['numeric(5, -1)', t.int32(), [10, 0, -0, 120]],
    ['boolean', undefined, [true, false]],
    ['bytea', undefined, [Uint8Array.of(), Uint8Array.of(0), Uint8Array.of(0x0a), Buffer.from([10])]],
    ['text', undefined, ['a', 'A', 'a ', '', ' ', 'a\\tb', 'a\tb', 'é', 'e\u0301', '\\N', 'N']],
    ['varchar(3)', undefined, ['a', 'a ', 'A', 'abc', '😀😀😀']],
    ['char(3)', undefined, ['a', 'a ', 'a  ', 'a   ', ' a', 'abc', '']],
    ['uuid', undefined, ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11']],
    ['text', t.uuid(), ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11']],
    ['mood', undefined, ['good', 'Good']],
  ];

  test.each(alike)('keys of %s are equal here if and only if they are for the server', (type, column, keys) =>
    withDatabase(getService(), async (fixture) => {
      await fixture.query(`
        CREATE TYPE mood AS ENUM ('good', 'Good');
        CREATE TABLE t (k ${type} PRIMARY KEY, n int); CREATE TABLE single (k ${type}, n int)`);
      const schema =
        column === undefined ? {} : { schema: rowSchema({ k: column, n: t.int32() }), create: false };
      const each = await (await fixture.open({ table: 'single', ...schema })).recover(['0']);
      await commit(each, { rows: keys.map((k, n) => ({ k, n })) });
      // What the server holds of each key when it is written by itself, the last of equal ones.
      const expected = await fixture.column('SELECT max(n) FROM single GROUP BY k ORDER BY 1');

      const upserts = await fixture.open(
        { table: 't', mode: 'upsert', key: ['k'], ...schema },
        { pipeline: 'p', sink: 's' },
      );
      const session = await upserts.recover(['0']);
      const rows = keys.map((k, n) => ({ k, n }));
      await commit(session, { rows });
      expect(await fixture.column('SELECT n FROM t ORDER BY n')).toEqual(expected);
      await commit(session, ...rows.map((row) => ({ rows: [row] })));
      expect(await fixture.column('SELECT n FROM t ORDER BY n')).toEqual(expected);
      const deletes = {
        rows: [...rows, ...rows],
        ops: [...rows.map(() => 0 as const), ...rows.map(() => 3 as const)],
      };
      await commit(session, deletes);
      expect(await fixture.query('TABLE t')).toEqual([]);
    }),
  );

  test(
    'a key that the server would cut or round is refused',
    run(async (fixture) => {
      await fixture.query(
        'CREATE TABLE t (a varchar(3), b numeric(4, 1), c char(2), d timestamp(3), e numeric(4, -1), UNIQUE (a, b, c, d, e))',
      );
      const session = await (
        await fixture.open({ table: 't', mode: 'upsert', key: ['a', 'b', 'c', 'd', 'e'] })
      ).recover(['0']);
      const row = { a: 'abc', b: '1.0', c: 'ab', d: 1000n, e: '10' };
      for (const wrong of [{ a: 'abc ' }, { b: '1.05' }, { c: 'abc' }, { d: 1001n }, { e: '15' }]) {
        const transaction = await session.begin();
        const failure = await failureOf(transaction.write(batchOf({ rows: [{ ...row, ...wrong }] })));
        expect(failure).toMatchObject({ code: 'EOS_ROW', details: { column: Object.keys(wrong)[0] } });
        await transaction.rollback();
      }
      await commit(session, { rows: [row] });
    }),
  );
});
