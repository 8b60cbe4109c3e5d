import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isEosError, rowSchema, t, type Column } from '@eos/core';
import { describeWithService } from '@eos/services';
import fc from 'fast-check';
import { batchOf, commit, failureOf, seed, withDatabase } from '../database.testing.js';

const numbers = fc.oneof(fc.float({ noNaN: true }), fc.double({ noNaN: true, min: -1e6, max: 1e6 }));
/** Where a real ends, the server says that the number is out of range. */
const isInRange = (number: number) => Math.fround(number) !== 0 && Number.isFinite(Math.fround(number));
const reals = fc.sample(numbers.filter(isInRange), { numRuns: 200, seed });

/** A type that loses something, the type that would not, a schema's column where one is asked for, and values. */
const lossy: readonly (readonly [narrow: string, wide: string, Column | undefined, readonly unknown[]])[] = [
  ['numeric(5,-2)', 'numeric', undefined, ['100', '-12300', '0', '00', '150', '1', '100.5', '99.9', '100.0']],
  ['numeric(5,-2)', 'numeric', t.int64(), [100, -12300n, 0, 150, 1n, 99]],
  ['numeric(5,-2)', 'numeric', t.int32(), [100, 0, 150]],
  ['numeric(4,2)', 'numeric', t.decimal(), ['1.25', '1.250', '1.255', '-0.01', '0.001']],
  ['numeric(2,4)', 'numeric', undefined, ['0.0012', '0.00123', '0']],
  ['timestamp(3)', 'timestamp', undefined, [0n, 1000n, 1001n, -1n, new Date(7), 999_999n]],
  ['timestamptz(0)', 'timestamptz', t.timestamp(), [0n, 1_000_000n, 999_999n, new Date(1), new Date(60_000)]],
  ['timestamp(6)', 'timestamp', undefined, [1n, -1n]],
  [
    'real',
    'double precision',
    undefined,
    [0.1, 1 / 3, 16_777_216, 16_777_217, 3.4e38, -0, NaN, Infinity, ...reals],
  ],
  ['varchar(3)', 'text', undefined, ['abc', '😀😀😀', 'abc ', 'ab ']],
  ['name', 'text', undefined, ['n'.repeat(63), 'n'.repeat(64), 'é'.repeat(31), 'é'.repeat(32)]],
  ['"char"', 'text', undefined, ['a', 'ab', '']],
];

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  test.each(lossy)(
    `a value is refused if and only if a column of type %s would change it (%s, seed ${seed})`,
    (narrow, wide, column, values) =>
      withDatabase(getService(), async (fixture) => {
        await fixture.query(`CREATE TABLE t (n int, v ${narrow}); CREATE TABLE same (n int, v ${wide})`);
        const schema =
          column === undefined ? {} : { schema: rowSchema({ n: t.int32(), v: column }), create: false };
        // The oracle: the wide column holds each as it is, and says whether it comes back from the narrow one, as it is there or as it is shown.
        await commit(
          await (
            await fixture.open({ table: 'same', ...schema }, { pipeline: 'p', sink: 'same' })
          ).recover(['0']),
          {
            rows: values.map((v, n) => ({ n, v })),
          },
        );
        const kept = await fixture.column(
          `SELECT n FROM same WHERE v IN (v::${narrow}::${wide}, v::${narrow}::text::${wide}) ORDER BY n`,
        );
        const session = await (await fixture.open({ table: 't', ...schema })).recover(['0']);
        const taken: number[] = [];
        for (const [n, v] of values.entries()) {
          const transaction = await session.begin();
          try {
            await transaction.write(batchOf({ rows: [{ n, v }] }));
            taken.push(n);
          } catch (error) {
            expect(isEosError(error, 'EOS_ROW') && error.details).toMatchObject({
              column: 'v',
              partition: '0',
              offset: 0n,
            });
          }
          await transaction.rollback();
        }
        expect(taken.map((n) => values[n])).toEqual(kept.map((n) => values[Number(n)]));
        await commit(session, { rows: taken.map((n) => ({ n, v: values[n] })) });
        expect(
          await fixture.column(
            `SELECT n FROM same JOIN t USING (n) WHERE same.v IN (t.v::${wide}, t.v::text::${wide}) ORDER BY n`,
          ),
        ).toEqual(taken);
      }),
  );

  test('what a type holds beyond its kind is taken where no schema says otherwise', () =>
    withDatabase(getService(), async (fixture) => {
      await fixture.query('CREATE TABLE t (a numeric, b date, c timestamp, d timestamptz)');
      const session = await (await fixture.open({ table: 't' })).recover(['0']);
      await commit(session, {
        rows: [
          { a: 'NaN', b: 'infinity', c: Infinity, d: -Infinity },
          { a: '-Infinity', b: '0044-03-15 BC', c: '-infinity', d: 'infinity' },
          { a: 'Infinity', b: '5874897-12-31', c: 0n, d: 0n },
        ],
      });
      expect(await fixture.column('SELECT t::text FROM t')).toEqual([
        '(NaN,infinity,infinity,-infinity)',
        '(-Infinity,"0044-03-15 BC",-infinity,infinity)',
        '(Infinity,5874897-12-31,"1970-01-01 00:00:00","1970-01-01 00:00:00+00")',
      ]);
      const strict = rowSchema({ a: t.decimal(), b: t.date(), c: t.timestamp(), d: t.timestamp() });
      const row = { a: '1', b: '2024-01-01', c: 0n, d: 0n };
      const declared = await (
        await fixture.open({ table: 't', schema: strict, create: false })
      ).recover(['0']);
      for (const wrong of [{ a: 'NaN' }, { b: 'infinity' }, { c: Infinity }, { d: 'infinity' }]) {
        const transaction = await declared.begin();
        const failure = await failureOf(transaction.write(batchOf({ rows: [{ ...row, ...wrong }] })));
        expect(failure).toMatchObject({ code: 'EOS_ROW', details: { column: Object.keys(wrong)[0] } });
        await transaction.rollback();
      }
    }));
});
