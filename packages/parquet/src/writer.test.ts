import { describe, expect, test } from '@jest/globals';
import { rowSchema, t, type Column } from '@eos/core';
import { readRows, sourceOf, write } from './files.testing.js';
import { openParquet, parquetWriter, rowFields } from './index.js';

const schema = rowSchema({ id: t.int64(), name: t.string().nullable() });

describe('what does not fit', () => {
  test.each<[string, Column, readonly unknown[]]>([
    ['int32', t.int32(), [1.5, 2 ** 31, '1', 1n, NaN, true]],
    ['int64', t.int64(), [1.5, 2 ** 53, 2n ** 63n, '1', null, undefined]],
    ['float64', t.float64(), ['1', 1n]],
    ['decimal', t.decimal(5, 2), ['', '.', '1e3', 'NaN', '1.234', '1234', 1, '1 ', '-']],
    ['decimal of 38 digits', t.decimal(38, 2), ['1'.repeat(37), '0.001', '1..2']],
    ['string', t.string(), ['\ud800', 'a\udc00b', `${'é'.repeat(100)}\udfff`, 1, Buffer.from('a')]],
    ['bytes', t.bytes(), ['a', [1]]],
    [
      'date',
      t.date(),
      [
        '2023-02-29',
        '2024-13-01',
        '0000-01-01',
        '2024-1-1',
        '10000-01-01',
        new Date(0),
        '2100-02-29',
        '2024/01/01',
      ],
    ],
    ['timestamp', t.timestamp(), [0, '2024-01-01', new Date(NaN), 2n ** 63n]],
    ['json', t.json(), [undefined, () => 1, 1n, NaN, { a: [null, -Infinity] }, '\udfff', { a: '\\\ud800b' }]],
    [
      'uuid',
      t.uuid(),
      ['a0eebc99', '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1g', 1],
    ],
    ['boolean', t.boolean(), [1, 't']],
  ])('%s: is refused with its column, and writing goes on', async (_kind, column, values) => {
    const single = rowSchema({ value: column });
    for (const value of values) {
      for (const asText of [false, true]) {
        const parts: Uint8Array[] = [];
        const options = asText ? ({ uuid: 'string', json: 'string' } as const) : {};
        const writer = parquetWriter(single, (bytes) => void parts.push(bytes), options);
        const refused = writer.writeColumns({ value: [value] }, 1);
        await expect(refused).rejects.toMatchObject({
          code: 'EOS_ROW',
          details: { column: 'value', row: 0 },
        });
        expect((await writer.finish()).rowCount).toBe(0);
      }
    }
  });

  test('the rows before it are written, it and those behind it are not', async () => {
    const parts: Uint8Array[] = [];
    const writer = parquetWriter(schema, (bytes) => void parts.push(bytes), { rowGroupRows: 40 });
    const rows = Array.from({ length: 3000 }, (_, at) => ({
      id: at,
      name: at % 100 === 99 ? '\ud800' : `name ${at % 3}`,
    }));
    const leftOut: number[] = [];
    for (let start = 0; start < rows.length;) {
      try {
        await writer.write(rows.slice(start));
        start = rows.length;
      } catch (error) {
        const row = Number(Reflect.get(Object(Reflect.get(Object(error), 'details')), 'row'));
        leftOut.push(start + row);
        start += row + 1;
      }
    }
    const { rowCount } = await writer.finish();
    expect(leftOut).toEqual(Array.from({ length: 30 }, (_, at) => 100 * at + 99));
    expect(rowCount).toBe(2970);
    const found = await readRows(Buffer.concat(parts), schema);
    expect(found).toEqual(
      rows.filter(({ id }) => id % 100 !== 99).map(({ id, name }) => ({ id: BigInt(id), name })),
    );
  });

  test('what is no row is refused', async () => {
    // @ts-expect-error -- what a program without types may hand out
    await expect(write(schema, [{ id: 1 }, null])).rejects.toMatchObject({
      code: 'EOS_ROW',
      details: { row: 1 },
    });
  });

  test('a schema that Parquet cannot hold is refused before the first row', () => {
    expect(() => rowFields(rowSchema({ amount: t.decimal() }))).toThrow('a precision up to 38');
    expect(() => rowFields(rowSchema({ amount: t.decimal(39, 2) }))).toThrow('decimal(39, 2)');
    expect(() => parquetWriter(schema, () => undefined, { rowGroupRows: 0 })).toThrow('rowGroupRows');
    // @ts-expect-error -- what a program without types may hand out
    expect(() => parquetWriter(schema, () => undefined, { compression: 'lzo' })).toThrow('lzo');
  });
});

describe('one file', () => {
  test('row groups end by rows and by bytes, and tell where they are', async () => {
    const rows = Array.from({ length: 1000 }, (_, at) => ({ id: at, name: `${at} ${'x'.repeat(1000)}` }));
    const byRows = await openParquet(sourceOf((await write(schema, rows, { rowGroupRows: 300 })).bytes));
    expect(byRows.rowGroups.map(({ firstRow, rowCount }) => [firstRow, rowCount])).toEqual([
      [0, 300],
      [300, 300],
      [600, 300],
      [900, 100],
    ]);
    const { file } = await write(schema, rows, { rowGroupBytes: 300_000 });
    expect(file.rowGroupCount).toBeGreaterThanOrEqual(3);
    expect(file.rowGroupCount).toBeLessThanOrEqual(5);
  });

  test('chosen columns and row groups only, and as many requests as it takes', async () => {
    const rows = Array.from({ length: 1000 }, (_, at) => ({ id: at, name: `name ${at}` }));
    const { bytes } = await write(schema, rows, { rowGroupRows: 100, compression: 'none' });
    let [requests, read] = [0, 0];
    const file = await openParquet({
      size: bytes.length,
      read: async (start, end) => {
        requests += 1;
        read += end - start;
        return bytes.subarray(start, end);
      },
    });
    expect(requests).toBe(1);
    [requests, read] = [0, 0];
    const batches: { firstRow: number; rows: readonly object[] }[] = [];
    for await (const batch of file.rows(schema, { columns: ['id'], rowGroups: [7, 2], batchRows: 60 }))
      batches.push(batch);
    expect(batches.map(({ firstRow, rows: some }) => [firstRow, some.length, some[0]])).toEqual([
      [700, 60, { id: 700n }],
      [760, 40, { id: 760n }],
      [200, 60, { id: 200n }],
      [260, 40, { id: 260n }],
    ]);
    expect([requests, read < 2000]).toEqual([2, true]);
    expect((await file.columns(3)).get('name')?.[5]).toBe('name 305');
    await expect(file.columns(10)).rejects.toMatchObject({ code: 'EOS_CONFIG' });
    await expect(file.columns(0, ['nobody'])).rejects.toMatchObject({ code: 'EOS_CONFIG' });
  });

  test('metadata, ready columns, and bounds of the whole', async () => {
    const parts: Uint8Array[] = [];
    const writer = parquetWriter(schema, (bytes) => void parts.push(bytes), {
      metadata: { 'eos.owner': 'é' },
      rowGroupRows: 2,
    });
    await writer.writeColumns({ id: [5, 3, 9, 7], name: ['é', null, 'y'.repeat(70), 'a'] }, 4);
    await expect(writer.writeColumns({ id: [1] }, 2)).rejects.toMatchObject({ code: 'EOS_CONFIG' });
    await expect(writer.writeColumns({ nobody: [1] }, 1)).rejects.toMatchObject({ code: 'EOS_CONFIG' });
    await writer.writeColumns({ id: BigInt64Array.of(1n) }, 1);
    const bytesBefore = writer.bytesWritten;
    const file = await writer.finish();
    const bytes = Buffer.concat(parts);
    expect([file.rowCount, file.bytes, file.bytes > bytesBefore]).toEqual([5, bytes.length, true]);
    expect(file.columns).toMatchObject([
      { path: ['id'], nullCount: 0, min: 1n, max: 9n, isMinExact: true, isMaxExact: true },
      { path: ['name'], nullCount: 2, min: 'a', max: 'é', isMinExact: true, isMaxExact: true },
    ]);
    expect((await openParquet(sourceOf(bytes))).metadata).toEqual(new Map([['eos.owner', 'é']]));
  });

  test('NaN takes the bounds away, and zeros have both signs', async () => {
    const ratios = rowSchema({ ratio: t.float64() });
    const boundsOf = async (...values: number[]) =>
      (
        await write(
          ratios,
          values.map((ratio) => ({ ratio })),
          { rowGroupRows: 1 },
        )
      ).file.columns[0];
    expect(await boundsOf(1, NaN, 2)).toMatchObject({ nanCount: 1, nullCount: 0 });
    expect(await boundsOf(1, NaN, 2)).not.toHaveProperty('min');
    expect(await boundsOf(0, 1)).toMatchObject({ min: -0, max: 1 });
    expect(await boundsOf(-1, -0)).toMatchObject({ min: -1, max: 0 });
  });

  test('calls that overlap, or come too late, are refused; a file that could not be written stays lost', async () => {
    const writer = parquetWriter(schema, () => undefined, { rowGroupRows: 1 });
    const first = writer.write([{ id: 1 }]);
    await expect(writer.write([{ id: 2 }])).rejects.toMatchObject({ code: 'EOS_STATE' });
    await first;
    await writer.finish();
    await expect(writer.finish()).rejects.toMatchObject({ code: 'EOS_STATE' });
    const failing = parquetWriter(
      schema,
      () => {
        throw new Error('disk full');
      },
      { rowGroupRows: 1 },
    );
    await expect(failing.write([{ id: 1 }])).rejects.toThrow('disk full');
    await expect(failing.finish()).rejects.toMatchObject({ code: 'EOS_STATE' });
  });
});

describe('a file that is damaged', () => {
  test('or cut off anywhere is refused', async () => {
    const rows = Array.from({ length: 50 }, (_, at) => ({
      id: at,
      name: at % 2 === 0 ? null : `name ${at}`,
    }));
    const { bytes } = await write(schema, rows);
    for (let length = 0; length < bytes.length; length++) {
      await expect(readRows(bytes.subarray(0, length), schema)).rejects.toMatchObject({
        code: 'EOS_SOURCE_FORMAT',
      });
    }
  });

  test('in its pages or footer gives an error of Eos, or rows: nothing else', async () => {
    const rows = Array.from({ length: 50 }, (_, at) => ({
      id: at,
      name: at % 2 === 0 ? null : `name ${at}`,
    }));
    const { bytes } = await write(schema, rows, { bloomFilters: { id: true } });
    let refused = 0;
    for (let at = 0; at < bytes.length; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 0xff;
      try {
        await readRows(damaged, schema);
      } catch (error) {
        refused += 1;
        expect([at, Reflect.get(Object(error), 'code')]).toEqual([at, expect.stringMatching(/^EOS_S/)]);
      }
    }
    expect(refused).toBeGreaterThan(bytes.length / 4);
  });

  test('errors of the source are its own', async () => {
    const failing = { size: 1000, read: () => Promise.reject(new Error('no connection')) };
    await expect(openParquet(failing)).rejects.toThrow('no connection');
    const short = { size: 1000, read: async () => new Uint8Array(10) };
    await expect(openParquet(short)).rejects.toMatchObject({ code: 'EOS_SOURCE_FORMAT' });
  });
});

test('memory does not grow with the file', async () => {
  const blobs = rowSchema({ id: t.int64(), blob: t.bytes(), name: t.string() });
  const rowGroupBytes = 4 * 1024 * 1024;
  let bytes = 0;
  const writer = parquetWriter(blobs, (part) => void (bytes += part.length), {
    rowGroupBytes,
    compression: 'none',
  });
  const pool = Buffer.alloc(1024 * 1024, 'some bytes ');
  const memory = () => {
    const { external, arrayBuffers, heapUsed } = process.memoryUsage();
    return Math.max(external, arrayBuffers) + heapUsed;
  };
  const start = memory();
  let most = 0;
  for (let batch = 0; batch < 300; batch++) {
    const rows = Array.from({ length: 100 }, (_, at) => ({
      id: batch * 100 + at,
      blob: pool.subarray(at, at + 10_000),
      name: `row ${batch * 100 + at}`,
    }));
    await writer.write(rows);
    expect(writer.bytesBuffered).toBeLessThan(1.5 * rowGroupBytes);
    most = Math.max(most, memory() - start);
  }
  await writer.finish();
  expect(bytes).toBeGreaterThan(280 * 1024 * 1024);
  // Columns, one of them encoded, and what the collector has not yet taken back.
  expect(most).toBeLessThan(160 * 1024 * 1024);
}, 60_000);
