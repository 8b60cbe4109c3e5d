import { describe, expect, test } from '@jest/globals';
import { rowSchema, t, type InferRow } from '@eos/core';
import fc from 'fast-check';
import { allTypes, allTypesRow, text } from './all-types.testing.js';
import { seed, sourceOf, withDuckDb, write } from './files.testing.js';
import { openParquet, type ColumnFilter } from './index.js';

const schema = rowSchema({
  id: t.int64().nullable(),
  small: t.int32().nullable(),
  ratio: t.float64().nullable(),
  price: t.decimal(9, 2).nullable(),
  huge: t.decimal(38, 10).nullable(),
  name: t.string().nullable(),
  day: t.date().nullable(),
  moment: t.timestamp().nullable(),
  reference: t.uuid().nullable(),
});
type Row = InferRow<typeof schema>;

/** Few different values, so that a look-up finds some, near one another, so that bounds are met. */
const rows: readonly Row[] = fc
  .sample(
    fc.record({
      id: fc.option(fc.bigInt({ min: -20n, max: 20n })),
      small: fc.option(fc.integer({ min: -20, max: 20 })),
      ratio: fc.option(fc.oneof(fc.constantFrom(NaN, -0, 0, 0.1, -0.1, Infinity, -Infinity), fc.double())),
      price: fc.option(fc.integer({ min: -999, max: 999 }).map((cents) => (cents / 100).toFixed(2))),
      huge: fc.option(fc.bigInt({ min: -99n, max: 99n }).map((whole) => `${whole}.0000000001`)),
      name: fc.option(text.filter((value) => !value.includes('\0'))),
      day: fc.option(fc.constantFrom('1969-12-31', '1970-01-01', '0001-01-01', '9999-12-31', '2024-02-29')),
      moment: fc.option(fc.bigInt({ min: -20n, max: 20n })),
      reference: fc.option(fc.uuid()),
    }),
    { numRuns: 400, seed },
  )
  .sort((left, right) => Number(left.id ?? 0n) - Number(right.id ?? 0n));

function literal(name: string, value: unknown): string {
  const shown = String(value);
  switch (name) {
    case 'name':
      return `'${shown.replaceAll("'", "''")}'`;
    case 'ratio':
      return `'${shown === '0' && Object.is(value, -0) ? '-0.0' : shown}'::DOUBLE`;
    case 'price':
      return `${shown}::DECIMAL(9, 2)`;
    case 'huge':
      return `'${shown}'::DECIMAL(38, 10)`;
    case 'day':
      return `'${shown}'::DATE`;
    case 'reference':
      return `'${shown}'::UUID`;
    case 'moment':
      return `make_timestamptz(${shown})`;
    default:
      return shown;
  }
}

describe(`readers that skip by statistics (seed ${seed})`, () => {
  test('DuckDB finds in the file what it finds in a table', async () => {
    const { bytes } = await write(schema, rows, { rowGroupRows: 7, pageBytes: 64 });
    await withDuckDb(bytes, async (query) => {
      await query(`CREATE TABLE every AS SELECT * FROM '{file}'`);
      const questions = fc.sample(
        fc.record({
          name: fc.constantFrom(...schema.names),
          row: fc.nat(rows.length - 1),
          operator: fc.constantFrom('=', '<', '<=', '>', '>=', '<>', 'IN'),
        }),
        { numRuns: 250, seed },
      );
      for (const { name, row, operator } of questions) {
        const value: unknown = Reflect.get(rows[row] ?? {}, name);
        const operand = value === null ? 'NULL' : literal(name, value);
        const condition = `"${name}" ${operator} ${operator === 'IN' ? `(${operand}, ${operand})` : operand}`;
        const count = async (from: string) =>
          (await query(`SELECT count(*) AS n FROM ${from} WHERE ${condition}`))[0]?.['n'];
        expect([condition, await count(`'{file}'`)]).toEqual([condition, await count('every')]);
      }
    });
  }, 60_000);

  test('no value, and no range with it, is looked for in the wrong row groups by ours', async () => {
    const filtered = allTypes.names.filter((name) => name !== 'document');
    const bloomFilters = Object.fromEntries(filtered.map((name) => [name, true as const]));
    await fc.assert(
      fc.asyncProperty(
        fc.array(allTypesRow, { minLength: 1, maxLength: 40 }),
        fc.constantFrom(1, 3, 10),
        fc.boolean(),
        async (some, rowGroupRows, withFilters) => {
          const options = withFilters ? { rowGroupRows, bloomFilters } : { rowGroupRows };
          const { bytes } = await write(allTypes, some, options);
          const file = await openParquet(sourceOf(bytes));
          for (const [at, row] of some.entries()) {
            for (const column of allTypes.names) {
              const value: unknown = Reflect.get(row, column);
              // NaN is found by nobody who asks for a value.
              if (value === null || Number.isNaN(value)) continue;
              const filters: ColumnFilter[] = [
                { column, in: [value] },
                { column, from: value },
                { column, to: value },
                { column, from: value, to: value },
              ];
              for (const filter of filters) {
                const found = await file.rowGroupsWith([filter]);
                expect([filter, found.includes(Math.floor(at / rowGroupRows))]).toEqual([filter, true]);
              }
            }
          }
        },
      ),
      { seed, numRuns: 12 },
    );
  }, 60_000);

  test('what is in no row group is looked for in none', async () => {
    const some = Array.from({ length: 1000 }, (_, at) => ({
      id: BigInt(2 * at),
      name: `n${at}`,
      price: `${at}.50`,
      huge: `${at}.5`,
      day: `${1000 + at}-01-01`,
      moment: BigInt(at),
    }));
    const { bytes } = await write(schema, some, {
      rowGroupRows: 100,
      bloomFilters: { id: true, name: true },
    });
    const file = await openParquet(sourceOf(bytes));
    const groups = (filter: ColumnFilter) => file.rowGroupsWith([filter]);
    expect(await groups({ column: 'id', in: [402n, 404] })).toEqual([2]);
    // Between the bounds, and not there: the Bloom filters rule out all but a few in a hundred.
    const missing = await Promise.all(some.map(({ id }) => groups({ column: 'id', in: [id + 1n] })));
    expect(missing.filter((found) => found.length > 0).length).toBeLessThan(60);
    expect(await groups({ column: 'price', from: '950.00' })).toEqual([9]);
    expect(await groups({ column: 'huge', from: '149', to: '151' })).toEqual([1]);
    expect(await groups({ column: 'day', to: '1099-12-31' })).toEqual([0]);
    expect(await groups({ column: 'moment', in: [5000n] })).toEqual([]);
    expect(await groups({ column: 'reference', in: ['00000000-0000-4000-8000-000000000000'] })).toEqual([]);
    expect(
      await file.rowGroupsWith([
        { column: 'id', to: 300n },
        { column: 'moment', from: 150n },
      ]),
    ).toEqual([1]);
    // A value that the column cannot hold is for the reader of the rows to judge.
    expect(await groups({ column: 'price', in: ['0.001'] })).toHaveLength(10);
    await expect(groups({ column: 'nobody', in: [1] })).rejects.toMatchObject({ code: 'EOS_CONFIG' });
  });
});

describe('Bloom filters', () => {
  const keys = Array.from({ length: 3000 }, (_, at) => ({
    id: BigInt(at) * 1_000_003n,
    small: at * 7919,
    name: `key ${at} é`,
    reference: `00000000-0000-4000-8000-${String(at).padStart(12, '0')}`,
  }));

  test('DuckDB finds every key, and leaves most row groups alone', async () => {
    const names = ['id', 'small', 'name'];
    const bloomFilters = Object.fromEntries([...names, 'reference'].map((name) => [name, true as const]));
    const { bytes } = await write(schema, keys, { rowGroupRows: 300, bloomFilters });
    await withDuckDb(bytes, async (query) => {
      let excluded = 0;
      for (const at of [0, 299, 300, 1234, 2999]) {
        for (const name of names) {
          const value = literal(name, Reflect.get(keys[at] ?? {}, name));
          const found = await query(`SELECT * FROM parquet_bloom_probe('{file}', '${name}', ${value})`);
          expect(found[Math.floor(at / 300)]?.['bloom_filter_excludes']).toBe(false);
          excluded += found.filter((group) => group['bloom_filter_excludes'] === true).length;
          const rowsOf = await query(`SELECT count(*) AS n FROM '{file}' WHERE "${name}" = ${value}`);
          expect(rowsOf[0]?.['n']).toBe(1n);
        }
      }
      // 15 keys, 9 other row groups each, and one in a hundred in vain.
      expect(excluded).toBeGreaterThan(120);
    });
  });

  test('are as large as asked for, and no larger', async () => {
    const sizeWith = async (maxBytes: number) =>
      (await write(schema, keys, { bloomFilters: { id: { falsePositives: 0.01, maxBytes } } })).bytes.length;
    const plain = (await write(schema, keys)).bytes.length;
    expect((await sizeWith(1024 * 1024)) - plain).toBeGreaterThan(4096);
    expect((await sizeWith(1024)) - plain).toBeLessThan(1200);
    await expect(write(schema, keys, { bloomFilters: { id: { falsePositives: 1 } } })).rejects.toThrow(
      'falsePositives',
    );
    await expect(write(schema, keys, { bloomFilters: { nobody: true } })).rejects.toThrow(
      'no column "nobody"',
    );
  });
});
