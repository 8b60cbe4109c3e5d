import { describe, expect, test } from '@jest/globals';
import { rowSchema, t } from '@eos/core';
import fc from 'fast-check';
import { text } from './all-types.testing.js';
import { readRows, seed, sourceOf, withDuckDb, write } from './files.testing.js';
import { openParquet, parquetWriter } from './index.js';
import { parquetjsLite } from './parquetjs-lite.js';

const schema = rowSchema({
  flag: t.boolean().nullable(),
  small: t.int32(),
  big: t.int64().nullable(),
  ratio: t.float64().nullable(),
  name: t.string().nullable(),
  raw: t.bytes().nullable(),
  day: t.date().nullable(),
  moment: t.timestamp().nullable(),
  document: t.json().nullable(),
  reference: t.uuid().nullable(),
});

const options = { encoder: parquetjsLite, uuid: 'string', json: 'string' } as const;

const row = fc.record({
  flag: fc.option(fc.boolean()),
  small: fc.integer(),
  big: fc.option(fc.maxSafeInteger().map(BigInt)),
  ratio: fc.option(fc.double({ noNaN: true }).filter((value) => !Object.is(value, -0))),
  name: fc.option(text),
  raw: fc.option(fc.uint8Array()),
  day: fc.option(fc.constantFrom('1970-01-01', '2024-02-29', '9999-12-31')),
  moment: fc.option(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n })),
  document: fc.option(fc.array(fc.integer())),
  reference: fc.option(fc.uuid()),
});

describe(`parquetjs-lite (seed ${seed})`, () => {
  test('rows come out of our reader and of DuckDB as they went in', async () => {
    const rows = fc.sample(row, { numRuns: 700, seed });
    for (const compression of ['none', 'snappy', 'gzip'] as const) {
      const { bytes, file } = await write(schema, rows, { ...options, compression, rowGroupRows: 300 });
      expect(await readRows(bytes, schema)).toEqual(rows);
      expect([file.rowCount, file.bytes, file.rowGroupCount]).toEqual([700, bytes.length, 3]);
      await withDuckDb(bytes, async (query) => {
        const [found] = await query(
          `SELECT count(*) AS n, count(name) AS names, sum(small)::VARCHAR AS total FROM '{file}'`,
        );
        expect(found).toEqual({
          n: 700n,
          names: BigInt(rows.filter(({ name }) => name !== null).length),
          total: String(rows.reduce((sum, { small }) => sum + small, 0)),
        });
        const statistics = await query(`SELECT count(stats_min_value) AS n FROM parquet_metadata('{file}')`);
        expect(statistics).toEqual([{ n: 0n }]);
      });
    }
  }, 60_000);

  test('an empty file, and metadata', async () => {
    const { bytes } = await write(schema, [], { ...options, metadata: { owner: 'me' } });
    expect(await readRows(bytes, schema)).toEqual([]);
    expect((await openParquet(sourceOf(bytes))).metadata.get('owner')).toBe('me');
  });

  test.each<[string, Record<string, unknown>]>([
    ['integers beyond 2^53', { big: 2n ** 53n }],
    ['NaN', { ratio: NaN }],
    ['-0', { ratio: -0 }],
    ['date before 1970', { day: '1969-12-31' }],
    ['timestamp before 1970', { moment: -1n }],
    ['timestamp before 1970', { moment: new Date(-1) }],
  ])('refuses %s, and the rows before it are written', async (reason, bad) => {
    const parts: Uint8Array[] = [];
    const writer = parquetWriter(schema, (bytes) => void parts.push(bytes), options);
    const refused = writer.writeColumns(
      {
        small: [1, 2],
        ...Object.fromEntries(Object.entries(bad).map(([name, value]) => [name, [null, value]])),
      },
      2,
    );
    await expect(refused).rejects.toMatchObject({
      code: 'EOS_ROW',
      message: expect.stringContaining(reason),
      details: { row: 1 },
    });
    await writer.finish();
    expect(await readRows(Buffer.concat(parts), schema)).toMatchObject([{ small: 1 }]);
  });

  test('refuses types and options that it has not, before the first row', () => {
    const begin =
      (columns: Parameters<typeof rowSchema>[0], more: object = {}) =>
      () =>
        parquetWriter(rowSchema(columns), () => undefined, { encoder: parquetjsLite, ...more });
    expect(begin({ amount: t.decimal(5, 2) })).toThrow('the type decimal of column "amount"');
    expect(begin({ reference: t.uuid() })).toThrow("uuid: 'string'");
    expect(begin({ id: t.int64() }, { bloomFilters: { id: true } })).toThrow('Bloom filters');
    expect(begin({ id: t.int64() }, { compression: 'zstd' })).toThrow('zstd');
  });

  test('a write that fails is told', async () => {
    const failing = async () => Promise.reject(new Error('disk full'));
    const writer = parquetWriter(schema, failing, { ...options, rowGroupRows: 1 });
    await expect(writer.write([{ small: 1 }])).rejects.toThrow('disk full');
  });
});
