import { gunzipSync } from 'node:zlib';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { csvSource, ndjsonSource, Op, rowSchema, t, type InferRow, type Source } from '@eos/core';
import { memoryBucket, memoryObjectStore, type ObjectStore } from '@eos/object-store';
import { openParquet } from '@eos/parquet';
import fc from 'fast-check';
import { createDataFiles } from './data-files-writer.js';
import type { DataFile } from './data-files.js';
import { checkFileOptions, type FileOptions } from './settings.js';
import { createZstd } from './compression.js';

const schema = rowSchema({
  id: t.int64(),
  flag: t.boolean().nullable(),
  small: t.int32().nullable(),
  ratio: t.float64().nullable(),
  amount: t.decimal(38, 9).nullable(),
  name: t.string().nullable(),
  raw: t.bytes().nullable(),
  day: t.date().nullable(),
  moment: t.timestamp().nullable(),
  document: t.json().nullable(),
  reference: t.uuid().nullable(),
});
type Row = InferRow<typeof schema>;

const nullable = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
const rowOf = fc.record({
  id: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  flag: nullable(fc.boolean()),
  small: nullable(fc.integer()),
  ratio: nullable(fc.double()),
  amount: nullable(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }).map((whole) => `${whole}.500000000`)),
  name: nullable(
    fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('', ' ', 'a,b', '"', '\r\n', 'x\ny')),
  ),
  raw: nullable(fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes))),
  day: nullable(
    fc
      .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
      .map((date) => date.toISOString().slice(0, 10)),
  ),
  moment: nullable(fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n })),
  document: nullable(
    fc.jsonValue().map((value): Row['document'] => JSON.parse(JSON.stringify(value)) as Row['document']),
  ),
  reference: nullable(fc.uuid()),
});

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eos-data-files-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function write(
  options: Omit<FileOptions<(typeof schema)['columns']>, 'schema'>,
  batches: readonly (readonly Row[])[],
  store: ObjectStore = memoryObjectStore(),
): Promise<{ files: readonly DataFile[]; store: ObjectStore }> {
  const settings = checkFileOptions({ ...(options as FileOptions), schema });
  const files = createDataFiles<Row>({ store, prefix: 't/', seen: 7n, pending: false }, settings);
  for (const rows of batches)
    await files.write({ partition: '0', rows, offsets: BigInt64Array.from(rows, (_, n) => BigInt(n)) });
  return { files: await files.seal(), store };
}

async function bodyOf(store: ObjectStore, file: DataFile): Promise<Buffer> {
  const found = await store.get(`t/${file.path}`);
  if (found === undefined) throw new Error(`${file.path} is not there`);
  return Buffer.from(found.body);
}

/** What core's own sources make of a file. */
async function readText(format: 'ndjson' | 'csv', body: Buffer): Promise<Row[]> {
  const path = join(folder, `file.${format}`);
  await writeFile(path, body);
  const source: Source<Row> = format === 'csv' ? csvSource({ path, schema }) : ndjsonSource({ path, schema });
  const rows: Row[] = [];
  const signal = new AbortController().signal;
  for await (const assignment of source.assignments({ pipeline: 'p', signal })) {
    const reader = await assignment.open(new Map(), signal);
    for (let batch; (batch = await reader.read({ rows: 1000 })) !== undefined;) rows.push(...batch.rows);
    await reader.close();
  }
  return rows;
}

async function readParquet(body: Buffer): Promise<Row[]> {
  const file = await openParquet({
    size: body.length,
    read: async (start, end) => body.subarray(start, end),
  });
  const rows: Row[] = [];
  for await (const batch of file.rows(schema)) rows.push(...batch.rows);
  return rows;
}

/** Values that are equal, in one form: a decimal without the zeros that change nothing, bytes as numbers. */
const comparable = (row: Row) => ({
  ...row,
  amount: row.amount?.replace(/\.?0+$/, '') ?? null,
  raw: row.raw === null || row.raw === undefined ? null : [...row.raw],
});

describe('what is written is read back', () => {
  test.each(['ndjson', 'csv', 'parquet'] as const)('from %s', async (format) => {
    await fc.assert(
      fc.asyncProperty(fc.array(rowOf, { minLength: 1, maxLength: 20 }), async (rows) => {
        const { files, store } = await write({ format }, [rows]);
        const [file] = files;
        if (file === undefined || files.length > 1) throw new Error('not one file');
        const body = await bodyOf(store, file);
        const found = format === 'parquet' ? await readParquet(body) : await readText(format, body);
        expect(found.map(comparable)).toEqual(rows.map(comparable));
        expect(file).toMatchObject({ rows: rows.length, bytes: body.length });
      }),
      { numRuns: 60 },
    );
  });

  test('compressed, too', async () => {
    const rows = Array.from({ length: 5_000 }, (_, n): Row => ({ id: BigInt(n), name: `name ${n % 7}` }));
    const plain = await write({}, [rows]);
    const zipped = await write({ compression: 'gzip' }, [rows]);
    const [one, other] = [plain.files[0], zipped.files[0]];
    if (one === undefined || other === undefined) throw new Error('no files');
    expect(other.path).toMatch(/^0{19}7-.*\.ndjson\.gz$/);
    expect(gunzipSync(await bodyOf(zipped.store, other)).equals(await bodyOf(plain.store, one))).toBe(true);
    expect(other.bytes).toBeLessThan(one.bytes / 5);
  });

  test('zstd is written, or refused by a Node that has none', async () => {
    const options = { compression: 'zstd' } as const;
    if (createZstd !== undefined) {
      const { files } = await write(options, [[{ id: 1n }]]);
      expect(files[0]?.path).toMatch(/\.ndjson\.zst$/);
    } else {
      await expect(write(options, [])).rejects.toMatchObject({
        code: 'EOS_CONFIG',
        message: expect.stringContaining('Node 22.15'),
      });
    }
  });
});

describe('files', () => {
  const rows = Array.from({ length: 1_000 }, (_, n): Row => ({
    id: BigInt(n),
    day: `2026-01-0${(n % 3) + 1}`,
    name: n % 5 === 0 ? null : `München/${n % 5}`,
  }));

  test('end after so many rows', async () => {
    const { files } = await write({ roll: { rows: 300 } }, [rows.slice(0, 450), rows.slice(450)]);
    expect(files.map((file) => file.rows)).toEqual([300, 300, 300, 100]);
  });

  test('end after about so many bytes', async () => {
    const large = rows.map((row): Row => ({ ...row, name: 'x'.repeat(1_000) }));
    const { files } = await write(
      { roll: { bytes: 100_000 } },
      large.map((row) => [row]),
    );
    expect(files.length).toBeGreaterThanOrEqual(9);
    for (const { bytes } of files.slice(0, -1)) expect(bytes).toBeLessThan(105_000);
  });

  test('end after some time, when rows come', async () => {
    const { files } = await write({ roll: { milliseconds: 1 } }, await spread(rows));
    expect(files.length).toBeGreaterThan(1);
    expect(files.reduce((sum, file) => sum + file.rows, 0)).toBe(rows.length);
  });

  /** The same rows in two batches, with a pause between them when they are read. */
  async function spread(all: readonly Row[]): Promise<readonly (readonly Row[])[]> {
    const slow = new Proxy(all.slice(500), {
      get(target, name, receiver) {
        if (name === 'length') for (const until = performance.now() + 2; performance.now() < until;);
        return Reflect.get(target, name, receiver) as unknown;
      },
    });
    return [all.slice(0, 500), slow];
  }

  test('lie in the folders of their columns, encoded, and say what they have in common', async () => {
    const { files, store } = await write({ partitionBy: ['day', 'name'] }, [rows]);
    expect(files).toHaveLength(15);
    const found = files.map(({ path, partition }) => [path.replace(/[^/]*$/, ''), partition]);
    expect(found).toContainEqual([
      'day=2026-01-01/name=__HIVE_DEFAULT_PARTITION__/',
      { day: '2026-01-01', name: null },
    ]);
    expect(found).toContainEqual([
      'day=2026-01-02/name=M%C3%BCnchen%2F1/',
      { day: '2026-01-02', name: 'München/1' },
    ]);
    const ids: bigint[] = [];
    for (const file of files)
      ids.push(...(await readText('ndjson', await bodyOf(store, file))).map(({ id }) => id));
    expect(ids.sort((a, b) => Number(a - b))).toEqual(rows.map(({ id }) => id));
  });

  test('a text that reads like the folder for null is kept apart from it', async () => {
    const { files } = await write({ partitionBy: ['name'] }, [
      [
        { id: 1n, name: '__HIVE_DEFAULT_PARTITION__' },
        { id: 2n, name: null },
      ],
    ]);
    expect(files.map(({ path }) => path.split('/')[0]).sort()).toEqual([
      'name=%5F_HIVE_DEFAULT_PARTITION__',
      'name=__HIVE_DEFAULT_PARTITION__',
    ]);
  });

  test('of more folders than are open at once are all written', async () => {
    const many = Array.from({ length: 400 }, (_, n): Row => ({ id: BigInt(n), small: n % 40 }));
    const { files } = await write({ partitionBy: ({ small }) => ({ part: String(small) }) }, [many, many]);
    expect(files.reduce((sum, file) => sum + file.rows, 0)).toBe(800);
  });

  test('say what their columns lie between', async () => {
    const found = await write({}, [
      [
        { id: 9n, small: 3, ratio: 1.5, day: '2026-02-01', moment: 1_700_000_000_000_001n },
        { id: -(2n ** 63n), small: -4, ratio: null, day: '2025-12-31', moment: 0n },
      ],
      [{ id: 5n, small: 2, ratio: NaN, day: null, moment: null }],
    ]);
    expect(found.files[0]?.columns).toMatchObject({
      id: { min: '-9223372036854775808', max: '9', nulls: 0 },
      small: { min: -4, max: 3, nulls: 0 },
      ratio: { nulls: 1 },
      day: { min: '2025-12-31', max: '2026-02-01', nulls: 1 },
      moment: { min: '1970-01-01T00:00:00Z', max: '2023-11-14T22:13:20.000001Z', nulls: 1 },
    });
    expect(found.files[0]?.columns?.['ratio']).toEqual({ nulls: 1 });
  });

  test.each(['ndjson', 'csv', 'parquet'] as const)('%s: a bad row is named', async (format) => {
    const bad = [{ id: 1n }, { id: 2n, small: 1.5 }];
    await expect(write({ format }, [bad])).rejects.toMatchObject({
      code: 'EOS_ROW',
      details: { partition: '0', offset: 1n, column: 'small' },
    });
  });

  test('that are aborted leave nothing', async () => {
    const bucket = memoryBucket();
    const store = memoryObjectStore(bucket);
    const settings = checkFileOptions({ schema, roll: { rows: 100 } });
    const files = createDataFiles<Row>({ store, prefix: '', seen: 0n, pending: true }, settings);
    await files.write({ partition: '0', rows });
    await files.seal();
    expect([bucket.objects.size, bucket.uploads.size]).toEqual([0, 10]);
    await files.abort();
    expect(bucket.uploads.size).toBe(0);
    const plain = createDataFiles<Row>({ store, prefix: '', seen: 0n, pending: false }, settings);
    await plain.write({ partition: '0', rows });
    await plain.abort();
    expect([bucket.objects.size, bucket.uploads.size]).toEqual([0, 0]);
  });
});

test('a changelog begins with its ops', async () => {
  const store = memoryObjectStore();
  const options = {
    schema: rowSchema({ id: t.int32(), name: t.string() }),
    mode: 'upsert',
    key: ['id'],
  } as const;
  const rows = [
    { id: 1, name: 'a' },
    { id: 1, name: 'b' },
  ];
  const texts: Record<string, string> = {};
  for (const format of ['ndjson', 'csv'] as const) {
    const files = createDataFiles(
      { store, prefix: '', seen: 0n, pending: false },
      checkFileOptions({ ...options, format }),
    );
    await files.write({ partition: '0', rows, ops: Uint8Array.of(Op.updateBefore, Op.updateAfter) });
    const [file] = await files.seal();
    texts[format] = Buffer.from((await store.get(file?.path ?? ''))?.body ?? []).toString();
  }
  expect(texts).toEqual({
    ndjson: '{"_op":"-U","id":1,"name":"a"}\n{"_op":"+U","id":1,"name":"b"}\n',
    csv: '_op,id,name\r\n-U,1,a\r\n+U,1,b\r\n',
  });
});

test.each([
  [{ format: 'xml' }, 'format'],
  [{ compression: 'snappy' }, 'compression'],
  [{ partitionBy: ['nothing'] }, 'partitionBy'],
  [{ partitionBy: ['document'] }, 'partitionBy'],
  [{ roll: { rows: 0 } }, 'roll'],
  [{ bloomFilters: ['id'] }, 'bloomFilters'],
  [{ mode: 'upsert', key: ['id'], partitionBy: ['day'] }, 'partitionBy'],
])('the options %j are refused', (options, option) => {
  expect(() => checkFileOptions({ ...(options as object), schema })).toThrow(
    expect.objectContaining({ code: 'EOS_CONFIG', details: { option } }),
  );
});
