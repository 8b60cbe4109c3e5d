import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { rowSchema, t, type Column, type RowSchema } from '@eos/core';
import { describeWithPython } from '@eos/services';
import fc from 'fast-check';
import {
  allTypes,
  allTypesRow,
  decimalText,
  duckDbText,
  PYARROW_TEXTS,
  valueText,
  type AllTypesRow,
} from './all-types.testing.js';
import { readRows, seed, withDuckDb, withFolder, write } from './files.testing.js';
import type { ParquetWriteOptions } from './index.js';

type Texts = Readonly<Record<string, readonly (string | null)[]>>;

/** Column by column. */
function texts(schema: RowSchema, rows: readonly object[]): Texts {
  return Object.fromEntries(
    schema.names.map((name) => {
      const kind = kindOf(schema, name);
      return [name, rows.map((row) => valueText(kind, Reflect.get(row, name)))];
    }),
  );
}

function kindOf(schema: RowSchema, name: string): Column['type']['kind'] {
  return schema.columns[name]?.type.kind ?? 'string';
}

async function duckDbTexts(bytes: Buffer, schema: RowSchema): Promise<Texts> {
  return withDuckDb(bytes, async (query) => {
    const rows = await query(`SELECT * FROM '{file}'`);
    const column = (name: string) => rows.map((row) => duckDbText(kindOf(schema, name), row[name] ?? null));
    return Object.fromEntries(schema.names.map((name) => [name, column(name)]));
  });
}

const layouts: fc.Arbitrary<ParquetWriteOptions> = fc.record({
  compression: fc.constantFrom('none', 'snappy', 'gzip'),
  rowGroupRows: fc.constantFrom(1, 7, 64, 1_000_000),
  pageBytes: fc.constantFrom(1, 40, 1000, 1_048_576),
  statistics: fc.boolean(),
});

/** A value that comes again and again gets a dictionary. */
const manyRows = fc
  .tuple(fc.array(allTypesRow, { minLength: 1, maxLength: 8 }), fc.integer({ min: 1, max: 40 }))
  .chain(([few, times]) =>
    fc
      .array(allTypesRow, { maxLength: 30 })
      .map((more) => [...more, ...Array.from({ length: times }, () => few).flat()]),
  );

/** Files that every reader gets: random ones, and what random ones hardly have. */
async function files(): Promise<{ rows: readonly AllTypesRow[]; bytes: Buffer }[]> {
  const samples = fc.sample(fc.tuple(manyRows, layouts), { numRuns: 8, seed });
  const none = Object.fromEntries(allTypes.names.map((name) => [name, null]));
  const [one] = fc.sample(allTypesRow, { numRuns: 1, seed });
  const long = Array.from({ length: 3000 }, (_, at) => ({
    ...one,
    big: BigInt(at % 7),
    name: `n${at % 5}`,
    small: at,
  }));
  const cases: [readonly AllTypesRow[], ParquetWriteOptions][] = [
    ...samples,
    [[], {}],
    [[none], {}],
    [Array.from({ length: 100 }, () => none), { rowGroupRows: 30 }],
    [long, { rowGroupRows: 1000, pageBytes: 3000 }],
  ];
  return Promise.all(
    cases.map(async ([rows, options]) => ({ rows, bytes: (await write(allTypes, rows, options)).bytes })),
  );
}

describe(`rows of every type (seed ${seed})`, () => {
  test('come out of our reader as they went in', async () => {
    await fc.assert(
      fc.asyncProperty(manyRows, layouts, async (rows, options) => {
        const { bytes } = await write(allTypes, rows, options);
        expect(texts(allTypes, await readRows(bytes, allTypes))).toEqual(texts(allTypes, rows));
      }),
      { seed, numRuns: 30 },
    );
  });

  test('come out of DuckDB as they went in', async () => {
    for (const { rows, bytes } of await files()) {
      expect(await duckDbTexts(bytes, allTypes)).toEqual(texts(allTypes, rows));
    }
  }, 60_000);

  test('have the types that were meant', async () => {
    const { bytes } = await write(allTypes, []);
    const columns = await withDuckDb(bytes, (query) => query(`DESCRIBE SELECT * FROM '{file}'`));
    expect(columns.map((column) => column['column_type'])).toEqual([
      'BOOLEAN',
      'INTEGER',
      'BIGINT',
      'DOUBLE',
      'DECIMAL(9,2)',
      'DECIMAL(18,6)',
      'DECIMAL(38,10)',
      'VARCHAR',
      'BLOB',
      'DATE',
      'TIMESTAMP WITH TIME ZONE',
      'JSON',
      'UUID',
    ]);
  });
});

/** Every precision, each with the scales 0, about the half, and all digits. */
const decimals = rowSchema(
  Object.fromEntries(
    Array.from({ length: 38 }, (_, at) => at + 1).flatMap((precision) =>
      [...new Set([0, Math.floor(precision / 2), precision])].map((scale): [string, Column] => [
        `d${precision}_${scale}`,
        t.decimal(precision, scale),
      ]),
    ),
  ),
);

const decimalRows = ['most', 'least', 'zero', 'one', 'minus one'].map((which) =>
  Object.fromEntries(
    Object.entries(decimals.columns).map(([name, { type }]) => {
      const [precision, scale] = type.kind === 'decimal' ? [type.precision ?? 0, type.scale ?? 0] : [0, 0];
      const most = 10n ** BigInt(precision) - 1n;
      const values: Record<string, bigint> = { most, least: -most, zero: 0n, one: 1n, 'minus one': -1n };
      return [name, decimalText(values[which] ?? 0n, scale)];
    }),
  ),
);

describe('decimals of every precision', () => {
  test('come out of our reader and of DuckDB as they went in', async () => {
    const { bytes, file } = await write(decimals, decimalRows);
    const expected = texts(decimals, decimalRows);
    expect(texts(decimals, await readRows(bytes, decimals))).toEqual(expected);
    expect(await duckDbTexts(bytes, decimals)).toEqual(expected);
    for (const { path, min, max } of file.columns) {
      const name = path[0] ?? '';
      expect([name, min, max]).toEqual([name, expected[name]?.[1], expected[name]?.[0]]);
    }
  });

  test('zeros in front and behind are no digits, and what has too many is refused', async () => {
    const schema = rowSchema({ amount: t.decimal(5, 2) });
    const given = ['1', '+1.5', '001.50', '.5', '1.', '-0', '999.99', '1.500000000000000000000', '-.01'];
    const { bytes } = await write(
      schema,
      given.map((amount) => ({ amount })),
    );
    const found = (await readRows(bytes, schema)).map(({ amount }) => amount);
    expect(found).toEqual(['1.00', '1.50', '1.50', '0.50', '1.00', '0.00', '999.99', '1.50', '-0.01']);
    for (const amount of ['1000', '0.001', '1e3', 'NaN', '', '.', '-', ' 1', '1_000']) {
      await expect(write(schema, [{ amount }])).rejects.toMatchObject({ code: 'EOS_ROW' });
    }
  });
});

describeWithPython({ describe, beforeAll, afterAll }, ['pyarrow'], (getPython) => {
  test(`rows of every type come out of pyarrow as they went in (seed ${seed})`, () =>
    withFolder(async (folder) => {
      const all = [
        ...(await files()),
        { rows: decimalRows, bytes: (await write(decimals, decimalRows)).bytes },
      ];
      const paths = all.map((_, at) => join(folder, `${at}.parquet`));
      for (const [at, { bytes }] of all.entries()) await writeFile(paths[at] ?? '', bytes);
      const read = async (schema: RowSchema, some: readonly string[]) => {
        const kinds = Object.fromEntries(schema.names.map((name) => [name, kindOf(schema, name)]));
        return getPython().run(PYARROW_TEXTS, { input: { paths: some, kinds } });
      };
      const found = [
        ...asList(await read(allTypes, paths.slice(0, -1))),
        ...asList(await read(decimals, paths.slice(-1))),
      ];
      expect(found.map((each, at) => (at === all.length - 1 ? each : withJson(each)))).toEqual(
        all.map(({ rows }, at) => texts(at === all.length - 1 ? decimals : allTypes, rows)),
      );
    }));
});

function asList(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError('no list');
  const list: readonly unknown[] = value;
  return list;
}

/** Its text is the file's own: brought to one form. */
function withJson(columns: unknown): unknown {
  if (typeof columns !== 'object' || columns === null) return columns;
  const documents = asList(Reflect.get(columns, 'document'));
  const parsed = documents.map((each) =>
    each === null ? null : typeof each === 'string' ? JSON.stringify(JSON.parse(each)) : each,
  );
  return { ...columns, document: parsed };
}
