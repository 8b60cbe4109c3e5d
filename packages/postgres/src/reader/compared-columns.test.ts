import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { lineFields, rowSchema, t } from '@eos/core';
import { describeWithService } from '@eos/services';
import fc from 'fast-check';
import { commit, seed, withDatabase, type Fixture, type Row } from '../database.testing.js';
import { encodedLines, foundLines, snapshotOf, type Options } from './table-reader.testing.js';

/** Rows that were written, as the source says them and as the table does: both sorted. */
async function bothSides(
  fixture: Fixture,
  options: Options,
  rows: readonly Row[],
): Promise<[string[], string[]]> {
  const sink = await fixture.open(options);
  await commit(await sink.recover(['0']), { rows });
  const snapshot = await snapshotOf(fixture, options);
  try {
    return [(await encodedLines(snapshot, { rows })).sort(), (await foundLines(snapshot)).sort()];
  } finally {
    await snapshot.close();
  }
}

/** Any text that the server can hold, with what COPY escapes. */
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom('\\', '\t', '\n', '\r', '\b', '\f', '\v', ' ', '\\N', '"', '\u001b', 'é', '😀'),
      fc.string(),
    ),
    {
      maxLength: 5,
    },
  )
  .map((parts) => parts.join('').replaceAll('\0', ''));
const digits = fc.stringMatching(/^[0-9]{0,8}$/);
const decimal = fc
  .tuple(fc.constantFrom('', '-', '+'), digits, fc.constantFrom('', '.'), digits)
  .filter(([, whole, point, fraction]) => (point === '.' ? whole + fraction : whole) !== '' && whole !== '')
  .map(([sign, whole, point, fraction]) => sign + whole + point + (point === '.' ? fraction : ''));
const scaled = fc
  .tuple(fc.constantFrom('', '-'), fc.nat(99_999), fc.nat(999), fc.constantFrom('', '0', '00'))
  .map(([sign, whole, fraction, zeros]) => `${sign}${whole}.${fraction}${zeros}`);
const double = fc.oneof(
  fc.double(),
  fc.constantFrom(0, -0, NaN, Infinity, -Infinity, 5e-324, 1e23, 2 ** -44, 2 ** 53, 0.1, 1e15, 1e-7),
);
const instant = fc.oneof(
  fc.bigInt({ min: -210_866_803_200_000_000n, max: 2n ** 63n - 1n }),
  fc.integer({ min: 0, max: 2_000_000 }).map((number) => BigInt(number) * 1_000_000n),
  fc.integer({ min: 0, max: 2_000_000 }).map((number) => BigInt(number) * 10_000n),
  fc.date({ min: new Date(0), max: new Date(2 ** 42), noInvalidDate: true }),
);
const day = fc
  .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));
const json = fc.jsonValue().filter((value) => !/\\u(?:0000|d[89a-f])/.test(JSON.stringify(value)));
const nullable = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null, freq: 8 });

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  const run = (work: (fixture: Fixture) => Promise<void>) => () => withDatabase(getService(), work);

  describe('a table that is read back', () => {
    const kinds = rowSchema({
      flag: t.boolean().nullable(),
      small: t.int32().nullable(),
      large: t.int64().nullable(),
      ratio: t.float64().nullable(),
      amount: t.decimal().nullable(),
      price: t.decimal(12, 5).nullable(),
      name: t.string().nullable(),
      raw: t.bytes().nullable(),
      day: t.date().nullable(),
      moment: t.timestamp().nullable(),
      document: t.json().nullable(),
      reference: t.uuid().nullable(),
    });
    const kindsRow = fc.record({
      flag: nullable(fc.boolean()),
      small: nullable(fc.integer()),
      large: nullable(fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.maxSafeInteger())),
      ratio: nullable(double),
      amount: nullable(decimal),
      price: nullable(scaled),
      name: nullable(text),
      raw: nullable(fc.uint8Array()),
      day: nullable(day),
      moment: nullable(instant),
      document: nullable(json),
      reference: nullable(fc.uuid().map((id) => (id.startsWith('0') ? id : id.toUpperCase()))),
    });

    test(
      `shows every value of every kind as the source says it (seed ${seed})`,
      run(async (fixture) => {
        const rows = fc.sample(kindsRow, { seed, numRuns: 2_000 });
        const [expected, found] = await bothSides(fixture, { table: 'kinds', schema: kinds }, rows);
        expect(found.length).toBe(rows.length);
        expect(found).toEqual(expected);
      }),
    );

    test(
      `asks the server how values of other types look (seed ${seed})`,
      run(async (fixture) => {
        await fixture.query(`CREATE TYPE mood AS ENUM ('sad', 'so so');
          CREATE DOMAIN short AS varchar(4);
          CREATE TABLE odd (
            whole numeric, rounded numeric(8,3), near real, local timestamp, millis timestamptz(3), address inet, list int[],
            texts text[], span interval, state mood, code char(8), label varchar(8), nick short, plain json, bits bit(4),
            range int4range, width float8)`);
        const schema = rowSchema({
          ...{
            whole: t.int64(),
            rounded: t.decimal(),
            local: t.timestamp(),
            millis: t.timestamp(),
            width: t.int32(),
          },
          ...{
            address: t.string(),
            list: t.string(),
            texts: t.string(),
            span: t.string(),
            state: t.string(),
          },
          ...{ code: t.string(), label: t.string(), nick: t.string(), plain: t.json(), bits: t.string() },
          range: t.string(),
          near: t.string(),
        });
        const row = fc.record({
          whole: fc.bigInt({ min: -1000n, max: 2n ** 63n - 1n }),
          rounded: scaled,
          local: instant.filter((value) => typeof value !== 'bigint' || value < 9_000_000_000_000_000_000n),
          millis: fc.date({ min: new Date(0), max: new Date(2 ** 42), noInvalidDate: true }),
          width: fc.integer(),
          address: fc.constantFrom('10.0.0.1', '10.0.0.1/32', '10.1.2.3/8', '::1', '2001:DB8::0'),
          list: fc.constantFrom('{}', '{1, 2}', '{ 1,NULL }', '{{1,2},{3,4}}'),
          texts: fc.constantFrom('{a,"b c"}', '{"a\\\\b",null}', '{"null", "x\ty"}'),
          span: fc.constantFrom('1 day', '24:00:00', '1 month 30 days', '-00:00:01.5', '90 minutes'),
          state: fc.constantFrom('sad', 'so so'),
          code: fc.constantFrom('', 'a', 'a  ', ' b', 'tab\tin'),
          label: fc.constantFrom('short', '12345678', 'a\n34567 ', '\\234567 '),
          nick: fc.constantFrom('abcd', 'ab  ', 'éü'),
          plain: fc
            .constantFrom({ b: 1, a: [1.5, 1e21, 1e-7] }, 'text', null, [{}])
            .filter((value) => value !== null),
          bits: fc.constantFrom('0101', '1111'),
          range: fc.constantFrom('[1,3]', '(0,4)', 'empty', '[5,)'),
          near: fc.constantFrom('0.1', '1e10', 'NaN', '16777217', '-0'),
        });
        const rows = fc.sample(row, { seed, numRuns: 300 });
        const [expected, found] = await bothSides(fixture, { table: 'odd', schema }, rows);
        expect(found).toEqual(expected);
        expect(new Set(found).size).toBeGreaterThan(100);
      }),
    );

    test(
      'tells every change of a value, and no other way to write it',
      run(async (fixture) => {
        const options = { table: 'kinds', schema: kinds };
        const row = {
          ...{
            flag: true,
            small: 1,
            large: 2n,
            ratio: 0.1,
            amount: '1.50',
            price: '2.5',
            name: 'a',
            raw: Buffer.from('b'),
          },
          ...{ day: '2024-02-29', moment: 1n, document: { a: 1, b: [true] }, reference: null },
        };
        const sink = await fixture.open(options);
        await commit(await sink.recover(['0']), { rows: [row] });
        const lines = async () => {
          const snapshot = await snapshotOf(fixture, options);
          const [expected, found] = [
            await encodedLines(snapshot, { rows: [row] }),
            await foundLines(snapshot),
          ];
          await snapshot.close();
          return { expected, found };
        };
        const before = await lines();
        expect(before.found).toEqual(before.expected);
        await fixture.query(
          `UPDATE kinds SET amount = 1.5000, document = '{"b":[true],"a":1}', price = '02.50'`,
        );
        expect((await lines()).found).toEqual(before.expected);
        const changes = {
          ...{
            flag: 'NOT flag',
            small: 'small + 1',
            large: 'NULL',
            ratio: 'ratio + 1e-16',
            amount: 'amount + 1e-30',
          },
          ...{ price: 'price + 0.00001', name: `name || ' '`, raw: `raw || '\\x00'`, day: 'day + 1' },
          ...{
            moment: `moment + interval '1 microsecond'`,
            document: `'{"a": 1}'`,
            reference: 'gen_random_uuid()',
          },
        };
        for (const [column, expression] of Object.entries(changes)) {
          await fixture.query(`BEGIN`);
          await fixture.query(`UPDATE kinds SET ${column} = ${expression}; COMMIT`);
          const { expected, found } = await lines();
          const names = kinds.names;
          const differing = lineFields(Buffer.from(found[0] ?? '')).flatMap((field, index) =>
            field === lineFields(Buffer.from(expected[0] ?? ''))[index] ? [] : [names[index]],
          );
          expect(differing).toEqual([column]);
          await fixture.query(`TRUNCATE kinds`);
          await commit(await sink.recover(['0']), { rows: [row] });
        }
      }),
      60_000,
    );
  });
});
