/** The files of a table, read by programs that know nothing of Eos. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { canonicalText, Op, type JsonValue } from '@eos/core';
import { localObjectStore } from '@eos/object-store';
import { describeWithPython } from '@eos/services';
import { conformanceSchema, type ConformanceRow } from '@eos/testkit';
import fc from 'fast-check';
import { seed, Writer } from '../commits.testing.js';
import { duckdb, listOf, selectTexts, textsOfFiles, type Texts } from '../duckdb.testing.js';
import { createZstd } from '../files/compression.js';
import type { FileOptions } from '../files/settings.js';
import { openTable } from './open-table.js';

const schema = conformanceSchema;
/** The newer ones where Node has them. */
const packings = ['none', 'gzip', ...(createZstd === undefined ? [] : (['zstd'] as const))] as const;

const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null, freq: 6 });
const text = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 4 }),
      fc.constantFrom('', ' ', ',', '"', '\r\n', '\n', '\t', '\\', 'ä', '😀'),
    ),
    { maxLength: 4 },
  )
  .map((parts) => parts.join('').replaceAll('\0', ''));
const anyRow: fc.Arbitrary<Omit<ConformanceRow, 'id'>> = fc.record({
  flag: maybe(fc.boolean()),
  small: maybe(fc.integer()),
  big: maybe(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
  ratio: maybe(fc.oneof(fc.double(), fc.constantFrom(0, -0, NaN, Infinity, -Infinity, 5e-324, 1e21))),
  amount: maybe(
    fc
      .tuple(
        fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }),
        fc.integer({ min: 10 ** 8, max: 10 ** 9 - 1 }),
      )
      .map(([whole, part]) => `${whole}.${part}`),
  ),
  name: maybe(text),
  raw: maybe(fc.uint8Array({ maxLength: 20 })),
  day: maybe(fc.constantFrom('0001-01-01', '1582-10-15', '1970-01-01', '2024-02-29', '9999-12-31')),
  moment: maybe(fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n })),
  document: maybe(fc.constantFrom<JsonValue>({}, [], 'text', 1.5, true, { a: [1, null, { 'ä"': '\n😀' }] })),
  reference: maybe(fc.uuid()),
});
const rows: readonly ConformanceRow[] = fc
  .sample(anyRow, { seed, numRuns: 150 })
  .map((row, index) => ({ id: BigInt(index), ...row }));

/** Each value in one form, whoever read it: a second way to write what files hold, apart from the writer's. */
const FORMS: Readonly<Record<keyof ConformanceRow, (value: string) => string>> = {
  id: String,
  flag: (value) => value.toLowerCase(),
  small: String,
  big: String,
  ratio: (value) => String(Number(value.replace(/^(-?)inf.*$/i, '$1Infinity'))),
  amount: String,
  name: String,
  raw: (value) => value.toLowerCase(),
  day: String,
  moment: String,
  document: (value) => canonicalText(JSON.parse(value) as JsonValue),
  reference: (value) => value.toLowerCase().replaceAll('-', ''),
};

function formed(found: readonly Texts[]): readonly Texts[] {
  const forms = Object.values(FORMS);
  return found
    .map((row) => row.map((value, index) => (value === null ? null : (forms[index]?.(value) ?? value))))
    .sort((a, b) => Number(a[0]) - Number(b[0]));
}

const expected = formed(
  rows.map((row) =>
    schema.names.map((name): string | null => {
      const value: unknown = Reflect.get(row, name);
      if (value === null) return null;
      if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
      return name === 'document' || typeof value === 'object'
        ? JSON.stringify(value)
        : `${value as string | bigint}`;
    }),
  ),
);

const root = join(tmpdir(), `eos-s3-other-readers-${process.pid}`);
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(root);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Writes the rows in two commits. Returns the files of the table. */
async function written(
  prefix: string,
  options: Omit<FileOptions<(typeof schema)['columns']>, 'schema'>,
): Promise<readonly string[]> {
  const writer = await Writer.open({ folder, prefix, schema, ...options });
  await writer.commit(rows.slice(0, 100));
  await writer.commit(rows.slice(100));
  await writer.close();
  return await filesOf(prefix);
}

async function filesOf(prefix: string): Promise<readonly string[]> {
  const store = localObjectStore({ root: folder });
  const paths: string[] = [];
  for await (const { path } of (await openTable(store, prefix)).files())
    paths.push(join(folder, prefix, path));
  await store.close();
  return paths;
}

describe(`DuckDB reads (seed ${seed})`, () => {
  test.each(packings)('NDJSON, %s', async (compression) => {
    const files = await written(`ndjson-${compression}`, { format: 'ndjson', compression });
    expect(formed(await textsOfFiles('ndjson', files))).toEqual(expected);
  });

  test.each(packings)('CSV, %s', async (compression) => {
    const files = await written(`csv-${compression}`, { format: 'csv', compression });
    expect(formed(await textsOfFiles('csv', files))).toEqual(expected);
  });

  test.each([...packings, 'snappy'] as const)('Parquet, %s', async (compression) => {
    const files = await written(`parquet-${compression}`, {
      format: 'parquet',
      compression,
      bloomFilters: ['id', 'name'],
    });
    expect(formed(await textsOfFiles('parquet', files))).toEqual(expected);
  });

  test('folders of partitions, also of odd names and of null', async () => {
    const files = await written('parted', {
      format: 'parquet',
      partitionBy: (row) => ({
        day: row.day ?? null,
        label: row.flag === null || row.flag === undefined ? null : `${row.flag}: 100% /a=b ä\\`,
      }),
    });
    expect(files.length).toBeGreaterThan(10);
    const from = `read_parquet(${listOf(files)}, hive_partitioning = true, hive_types_autocast = false)`;
    expect(formed(await duckdb(selectTexts('parquet', from)))).toEqual(expected);
    const labels = await duckdb(`SELECT DISTINCT flag::VARCHAR, label FROM ${from} ORDER BY ALL`);
    expect(labels).toEqual(
      ['false', 'true'].map((flag) => [flag, `${flag}: 100% /a=b ä\\`]).concat([[null, null] as never]),
    );
  });

  test('what a changelog leaves, by its ops', async () => {
    const writer = await Writer.open({
      folder,
      prefix: 'changes',
      schema,
      mode: 'upsert',
      key: ['id'],
      format: 'parquet',
    });
    const [first, second, third] = rows;
    if (first === undefined || second === undefined || third === undefined) throw new Error('no rows');
    await writer.commit([first, second, third]);
    await writer.commit([{ id: 1n }, { ...third, name: 'changed' }], [Op.delete, Op.updateAfter]);
    await writer.close();
    const from = `read_parquet(${listOf(await filesOf('changes'))}, filename = true, file_row_number = true)`;
    const left =
      await duckdb(`SELECT id::VARCHAR, name FROM (SELECT *, row_number() OVER (PARTITION BY id ORDER BY filename DESC, file_row_number DESC) AS n
      FROM ${from}) WHERE n = 1 AND _op IN ('+I', '+U') ORDER BY id`);
    expect(left).toEqual([
      ['0', first.name],
      ['2', 'changed'],
    ]);
  });
});

const READ_BY_PYARROW = `
import pyarrow, pyarrow.parquet
import json

def text(kind, value):
    if value is None: return None
    if kind == 'raw': return value.hex()
    if kind == 'reference': return str(value) if not isinstance(value, bytes) else value.hex()
    return str(value)

def main(input):
    rows = []
    for path in input['files']:
        table = pyarrow.parquet.ParquetFile(path).read()
        moment = table.column('moment').cast(pyarrow.int64()).to_pylist()
        names = input['names']
        columns = [moment if name == 'moment' else table.column(name).to_pylist() for name in names]
        rows += [[text(name, value) for name, value in zip(names, row)] for row in zip(*columns)]
    return rows
`;

describeWithPython({ describe, beforeAll, afterAll }, ['pyarrow'], (getPython) => {
  test.each(['none', 'snappy', 'gzip'] as const)(
    `pyarrow reads Parquet, %s (seed ${seed})`,
    async (compression) => {
      const prefix = `pyarrow-${compression}`;
      const files = await written(prefix, { format: 'parquet', compression });
      expect(files.every((file) => existsSync(file))).toBe(true);
      const found = await getPython().run(READ_BY_PYARROW, { input: { files, names: schema.names } });
      expect(formed(found as readonly Texts[])).toEqual(expected);
    },
  );
});
