import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { rowSchema, t } from '@eos/core';
import { describeWithPython } from '@eos/services';
import { readRecords, readRows, sourceOf, withDuckDb, withFolder } from './files.testing.js';
import { openParquet } from './index.js';

/** Types that this package does not write, in every encoding and compression that pyarrow has. */
const WRITE = `
import datetime, decimal, itertools
import pyarrow as pa, pyarrow.parquet as pq
def main(folder):
    n = 3000
    def some(values): return [None if at % 7 == 0 else value for at, value in enumerate(values)]
    micros = [at * 86_399_000_000 - 2**52 for at in range(n)]
    table = pa.table({
        'u8': pa.array(some([at % 256 for at in range(n)]), pa.uint8()),
        'u32': pa.array(some([2**32 - 1 - at for at in range(n)]), pa.uint32()),
        'u64': pa.array(some([2**64 - 1 - at for at in range(n)]), pa.uint64()),
        'i16': pa.array(some([at - 1500 for at in range(n)]), pa.int16()),
        'half': pa.array([at / 2 for at in range(n)], pa.float32()),
        'millis': pa.array(some([each // 1000 for each in micros]), pa.timestamp('ms', 'UTC')),
        'nanos': pa.array(some([at * 1000 - 1 for at in range(n)]), pa.timestamp('ns', 'UTC')),
        'price': pa.array(some([decimal.Decimal(at - 1500).scaleb(-2) for at in range(n)]), pa.decimal128(7, 2)),
        'name': pa.array(some(['name %d' % (at % 50) for at in range(n)])),
        'text': pa.array(['%d é' % at for at in range(n)]),
        'words': pa.array(some([['w%d' % (at % 3)] * (at % 4) for at in range(n)]), pa.list_(pa.string())),
        'day': pa.array(some([datetime.date(1900, 1, 1) + datetime.timedelta(at) for at in range(n)])),
    })
    paths = []
    codecs = ['none', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4']
    for codec, version, dictionary in itertools.product(codecs, ['1.0', '2.0'], [True, False]):
        path = f'{folder}/{codec}-{version}-{dictionary}.parquet'
        pq.write_table(table, path, compression=codec, data_page_version=version, use_dictionary=dictionary,
            row_group_size=1000, data_page_size=2000)
        paths.append(path)
    path = f'{folder}/delta.parquet'
    encodings = {'text': 'DELTA_BYTE_ARRAY', 'name': 'DELTA_LENGTH_BYTE_ARRAY', 'millis': 'DELTA_BINARY_PACKED', 'half': 'BYTE_STREAM_SPLIT'}
    pq.write_table(table, path, use_dictionary=False, column_encoding=encodings)
    paths.append(path)
    path = f'{folder}/int96.parquet'
    pq.write_table(table, path, use_deprecated_int96_timestamps=True)
    paths.append(path)
    return paths
`;

const MICROS = (at: number) => BigInt(at) * 86_399_000_000n - 2n ** 52n;

function expectedRow(at: number): Readonly<Record<string, unknown>> {
  const some = <T>(value: T) => (at % 7 === 0 ? null : value);
  const cents = String(Math.abs(at - 1500)).padStart(3, '0');
  return {
    u8: some(at % 256),
    u32: some(BigInt(2 ** 32 - 1 - at)),
    u64: some(String(2n ** 64n - 1n - BigInt(at))),
    i16: some(at - 1500),
    half: at / 2,
    millis: some(BigInt(Math.floor(Number(MICROS(at)) / 1000)) * 1000n),
    nanos: some(BigInt(at - 1)),
    price: some(`${at < 1500 ? '-' : ''}${cents.slice(0, -2)}.${cents.slice(-2)}`),
    name: some(`name ${at % 50}`),
    text: `${at} é`,
    words: some(Array.from({ length: at % 4 }, () => `w${at % 3}`)),
    day: some(new Date(Date.UTC(1900, 0, 1 + at)).toISOString().slice(0, 10)),
  };
}

describeWithPython({ describe, beforeAll, afterAll }, ['pyarrow'], (getPython) => {
  test(
    'files of pyarrow, in every encoding and compression that it has',
    () =>
      withFolder(async (folder) => {
        const paths = await getPython().run(WRITE, { input: folder });
        if (!Array.isArray(paths)) throw new TypeError('no paths');
        const expected = Array.from({ length: 3000 }, (_, at) => expectedRow(at));
        for (const path of paths) {
          const found = await readRecords(await readFile(String(path)));
          const different = found.findIndex((row, at) => !isSame(row, expected[at]));
          expect([path, different, found[different]]).toEqual([path, -1, undefined]);
          expect(found).toHaveLength(3000);
        }
      }),
    120_000,
  );
});

/** Cheaper than the runner's own comparison of so many. */
function isSame(left: unknown, right: unknown): boolean {
  const text = (value: unknown) =>
    JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? `${each}n` : each));
  return text(left) === text(right);
}

describe('files of DuckDB', () => {
  const schema = rowSchema({
    id: t.int64(),
    small: t.int64(),
    name: t.string(),
    price: t.decimal(10, 2),
    day: t.date(),
    moment: t.timestamp(),
    reference: t.uuid(),
    raw: t.bytes(),
    ratio: t.float64().nullable(),
    document: t.json(),
    later: t.string().nullable(),
  });

  test('are read by an Eos schema, and row groups are found by its Bloom filters and bounds', () =>
    withFolder(async (folder) => {
      const path = join(folder, 'duck.parquet');
      await withDuckDb(Buffer.alloc(0), (query) =>
        query(`COPY (SELECT range AS id, (range % 100)::INTEGER AS small, 'name ' || (range % 10) AS name,
          (range / 100)::DECIMAL(10, 2) AS price, DATE '2024-01-01' + (range % 60)::INTEGER AS day,
          make_timestamptz(range) AS moment, ('00000000-0000-4000-8000-' || lpad(range::VARCHAR, 12, '0'))::UUID AS reference,
          'ab'::BLOB AS raw, CASE WHEN range % 2 = 0 THEN NULL ELSE range / 2 END AS ratio, '{"a": [1, null]}'::JSON AS document
          FROM range(10000)) TO '${path}' (FORMAT parquet, ROW_GROUP_SIZE 2048)`),
      );
      const bytes = await readFile(path);
      const rows = await readRows(bytes, schema);
      expect(rows).toHaveLength(10_000);
      expect(rows[4321]).toEqual({
        id: 4321n,
        small: 21n,
        name: 'name 1',
        price: '43.21',
        day: '2024-01-02',
        moment: 4321n,
        reference: '00000000-0000-4000-8000-000000004321',
        raw: new Uint8Array(Buffer.from('ab')),
        ratio: 2160.5,
        document: { a: [1, null] },
        later: null,
      });
      const file = await openParquet(sourceOf(bytes));
      expect(await file.rowGroupsWith([{ column: 'id', in: [4321n] }])).toEqual([2]);
      expect(await file.rowGroupsWith([{ column: 'name', in: ['name 11'] }])).toEqual([]);
      expect(await file.rowGroupsWith([{ column: 'price', from: '99.00' }])).toEqual([4]);
    }));

  test('a column of another type, or that is missing, is refused by name', async () => {
    const bytes = await withFolder(async (folder) => {
      const path = join(folder, 'duck.parquet');
      await withDuckDb(Buffer.alloc(0), (query) =>
        query(`COPY (SELECT 1::BIGINT AS id, NULL::VARCHAR AS name) TO '${path}'`),
      );
      return readFile(path);
    });
    const refused = (columns: Parameters<typeof rowSchema>[0]) => readRows(bytes, rowSchema(columns));
    await expect(refused({ id: t.string() })).rejects.toMatchObject({
      code: 'EOS_SCHEMA',
      details: { column: 'id' },
    });
    await expect(refused({ id: t.int32() })).rejects.toMatchObject({ code: 'EOS_SCHEMA' });
    await expect(refused({ other: t.int64() })).rejects.toThrow('"other"');
    await expect(refused({ name: t.string() })).rejects.toThrow('is null in row 0');
  });
});
