import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { describeWithPython } from '@eos/services';
import fc from 'fast-check';
import { readRecords, seed, sourceOf, withDuckDb, withFolder, writeNested } from './files.testing.js';
import { openParquet, type ParquetElement, type ParquetField, type ParquetType } from './index.js';

type Record_ = Readonly<Record<string, unknown>>;

const SCALARS = [
  { type: { kind: 'int32' }, value: fc.integer() },
  { type: { kind: 'int64' }, value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) },
  { type: { kind: 'string' }, value: fc.string({ unit: 'binary', maxLength: 5 }) },
  { type: { kind: 'boolean' }, value: fc.boolean() },
] as const;

/** A type, and values of it. */
interface Shape {
  readonly type: ParquetType;
  readonly value: fc.Arbitrary<unknown>;
}

function shapes(depth: number): fc.Arbitrary<Shape> {
  const scalar = fc.constantFrom<Shape[]>(...SCALARS);
  if (depth === 0) return scalar;
  const inner = fc.tuple(shapes(depth - 1), fc.boolean());
  const list = inner.map(([shape, isNullable]): Shape => ({
    type: { kind: 'list', element: { type: shape.type, isNullable } },
    value: fc.array(maybe(shape, isNullable), { maxLength: 3 }),
  }));
  const map = inner.map(([shape, isNullable]): Shape => ({
    type: { kind: 'map', key: { kind: 'string' }, value: { type: shape.type, isNullable } },
    value: fc
      .uniqueArray(fc.tuple(fc.string({ maxLength: 3 }), maybe(shape, isNullable)), {
        maxLength: 3,
        selector: ([key]) => key,
      })
      .map((entries) => new Map(entries)),
  }));
  const struct = fc.array(inner, { minLength: 1, maxLength: 3 }).map((members): Shape => ({
    type: {
      kind: 'struct',
      fields: members.map(([shape, isNullable], at) => ({ name: `f${at}`, type: shape.type, isNullable })),
    },
    value: fc.record(
      Object.fromEntries(members.map(([shape, isNullable], at) => [`f${at}`, maybe(shape, isNullable)])),
    ),
  }));
  return fc.oneof(scalar, list, map, struct);
}

function maybe({ value }: Shape, isNullable: boolean): fc.Arbitrary<unknown> {
  return isNullable ? fc.option(value) : value;
}

const tables = fc.array(fc.tuple(shapes(3), fc.boolean()), { minLength: 1, maxLength: 3 }).chain((columns) =>
  fc.record({
    fields: fc.constant(
      columns.map(([{ type }, isNullable], at): ParquetField => ({ name: `c${at}`, type, isNullable })),
    ),
    rows: fc.array(
      fc.record(
        Object.fromEntries(columns.map(([shape, isNullable], at) => [`c${at}`, maybe(shape, isNullable)])),
      ),
      { maxLength: 20 },
    ),
    rowGroupRows: fc.constantFrom(1, 5, 1000),
    pageBytes: fc.constantFrom(1, 20, 1000),
  }),
);

/** pyarrow's form: maps are lists of pairs, and large integers text. */
function pythonForm(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Map)
    return Array.from(value, ([key, item]: [unknown, unknown]) => [key, pythonForm(item)]);
  if (Array.isArray(value)) return value.map(pythonForm);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, pythonForm(member)]));
}

const PYARROW_RECORDS = `
import pyarrow as pa, pyarrow.parquet as pq
def plain(value, type):
    if value is None: return None
    if pa.types.is_int64(type): return str(value)
    if pa.types.is_map(type): return [[key, plain(item, type.item_type)] for key, item in value]
    if pa.types.is_list(type): return [plain(each, type.value_type) for each in value]
    if pa.types.is_struct(type): return {field.name: plain(value[field.name], field.type) for field in type}
    return value
def main(paths):
    answer = []
    for path in paths:
        table = pq.ParquetFile(path).read()
        columns = [[plain(each, field.type) for each in table[field.name].to_pylist()] for field in table.schema]
        answer.append([dict(zip(table.column_names, row)) for row in zip(*columns)])
    return answer
`;

describe(`nested fields (seed ${seed})`, () => {
  test('come out of our reader as they went in, and their schema too', async () => {
    await fc.assert(
      fc.asyncProperty(tables, async ({ fields, rows, ...options }) => {
        const { bytes } = await writeNested(fields, rows, options);
        expect(await readRecords(bytes)).toEqual(rows);
        expect((await openParquet(sourceOf(bytes))).fields).toEqual(fields);
      }),
      { seed, numRuns: 100 },
    );
  }, 60_000);

  test('a checkpoint: one struct of many is there in each row', async () => {
    const { fields, rows } = checkpoint();
    const { bytes, file } = await writeNested(fields, rows, { rowGroupRows: 3 });
    const read = await readRecords(bytes);
    expect(read).toEqual(rows.map((row) => ({ ...absent, ...row })));
    const counts = file.columns.map(({ path, nullCount }) => [path.join('.'), nullCount]);
    expect(counts).toContainEqual(['add.path', rows.filter(({ add }) => add === undefined).length]);
    await withDuckDb(bytes, async (query) => {
      const found = await query(
        `SELECT add.path AS path, add.partitionValues['date'] AS day FROM '{file}' WHERE add IS NOT NULL ORDER BY 1`,
      );
      expect(found).toEqual([
        { path: 'a.parquet', day: '2024-01-01' },
        { path: 'b.parquet', day: null },
        { path: 'c.parquet', day: null },
      ]);
    });
  });

  test('objects serve as maps, and columns as rows', async () => {
    const fields: ParquetField[] = [
      { name: 'tags', isNullable: true, type: { kind: 'map', key: string, value: text } },
    ];
    const { bytes } = await writeNested(fields, [{ tags: { a: '1', __proto__: null } }, { tags: {} }, {}]);
    expect(await readRecords(bytes)).toEqual([
      { tags: new Map([['a', '1']]) },
      { tags: new Map() },
      { tags: null },
    ]);
  });

  const text: ParquetElement = { type: { kind: 'string' }, isNullable: true };
  const string: ParquetType = { kind: 'string' };

  test.each<[string, ParquetField, unknown, string]>([
    ['no array', { name: 'x', isNullable: false, type: { kind: 'list', element: text } }, 'a', 'x'],
    [
      'null in a column that takes none',
      { name: 'x', isNullable: false, type: { kind: 'list', element: { ...text, isNullable: false } } },
      [null],
      'x.element',
    ],
    ['no object', { name: 'x', isNullable: false, type: { kind: 'map', key: string, value: text } }, 1, 'x'],
    [
      'no string',
      {
        name: 'x',
        isNullable: false,
        type: { kind: 'struct', fields: [{ name: 'y', ...text }] },
      },
      { y: 1 },
      'x.y',
    ],
  ])('%s: refused, with its path, and nothing of it is kept', async (reason, field, value, path) => {
    const refused = writeNested(
      [{ name: 'n', isNullable: false, type: { kind: 'int32' } }, field],
      [{ n: 1, x: value }],
    );
    await expect(refused).rejects.toMatchObject({
      code: 'EOS_ROW',
      message: expect.stringContaining(reason),
      details: { column: path, row: 0 },
    });
  });
});

const absent = { txn: null, add: null, metaData: null };

function checkpoint(): { fields: ParquetField[]; rows: Record_[] } {
  const text: ParquetElement = { type: { kind: 'string' }, isNullable: true };
  const long: ParquetElement = { type: { kind: 'int64' }, isNullable: true };
  const texts: ParquetType = { kind: 'map', key: { kind: 'string' }, value: text };
  const struct = (name: string, members: Readonly<Record<string, ParquetElement>>): ParquetField => ({
    name,
    isNullable: true,
    type: {
      kind: 'struct',
      fields: Object.entries(members).map(([member, element]) => ({ name: member, ...element })),
    },
  });
  const fields = [
    struct('txn', { appId: text, version: long }),
    struct('add', { path: text, partitionValues: { type: texts, isNullable: true }, size: long }),
    struct('metaData', {
      id: text,
      partitionColumns: { type: { kind: 'list', element: text }, isNullable: true },
      configuration: { type: texts, isNullable: true },
    }),
  ];
  const rows = [
    { metaData: { id: 'm', partitionColumns: ['date'], configuration: new Map() } },
    { txn: { appId: 'p/s/0', version: 2n ** 63n - 1n } },
    { add: { path: 'a.parquet', partitionValues: new Map([['date', '2024-01-01']]), size: 1n } },
    { add: { path: 'b.parquet', partitionValues: new Map([['date', null]]), size: 2n } },
    { txn: { appId: 'p/s/1', version: null } },
    { add: { path: 'c.parquet', partitionValues: null, size: null } },
    { metaData: { id: null, partitionColumns: [], configuration: null } },
  ];
  return { fields, rows };
}

describeWithPython({ describe, beforeAll, afterAll }, ['pyarrow'], (getPython) => {
  test(`nested fields come out of pyarrow as they went in (seed ${seed})`, () =>
    withFolder(async (folder) => {
      const samples = fc.sample(tables, { numRuns: 40, seed }).filter(({ rows }) => rows.length > 0);
      const paths = samples.map((_, at) => join(folder, `${at}.parquet`));
      for (const [at, { fields, rows, ...options }] of samples.entries()) {
        await writeFile(paths[at] ?? '', (await writeNested(fields, rows, options)).bytes);
      }
      const found = await getPython().run(PYARROW_RECORDS, { input: paths });
      expect(found).toEqual(samples.map(({ rows }) => rows.map(pythonForm)));
    }));
});
