import { describe, expect, test } from '@jest/globals';
import { plainDecimal, rowSchema, t, type JsonValue } from '@eos/core';
import fc from 'fast-check';
import { batchOf, D, I, logBatch, logOf, read, UA, UB, written } from './encoding.testing.js';
import { json } from './json-format.js';

const every = rowSchema({
  flag: t.boolean(),
  small: t.int32(),
  big: t.int64(),
  real: t.float64(),
  price: t.decimal(),
  text: t.string(),
  raw: t.bytes(),
  day: t.date(),
  at: t.timestamp(),
  any: t.json(),
  uid: t.uuid(),
  note: t.string().nullable(),
});

const decimal = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.bigInt({ min: 0n, max: 10n ** 40n }),
    fc.option(fc.stringMatching(/^\d{1,20}$/)),
  )
  .map(([sign, whole, fraction]) => `${sign}${whole}${fraction === null ? '' : `.${fraction}`}`);
const row = fc.record({
  flag: fc.boolean(),
  small: fc.integer(),
  big: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  real: fc.double(),
  price: decimal,
  text: fc.string({ unit: 'grapheme' }),
  raw: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  day: fc
    .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
    .map((date) => date.toISOString().slice(0, 10)),
  at: fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n }),
  any: fc
    .jsonValue()
    .map((value) => JSON.parse(JSON.stringify(value)) as JsonValue)
    .filter((value) => value !== null),
  uid: fc.uuid(),
  note: fc.option(fc.string()),
});

describe('json', () => {
  test('gives back every row as it was written, whatever it holds', async () => {
    for (const options of [{}, { int64: 'string', decimal: 'number' }] as const) {
      const format = json({ schema: every, ...options });
      await fc.assert(
        fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 20 }), async (rows) => {
          const { parts } = await written(format, [batchOf(rows)]);
          const [records] = parts;
          if (records === undefined) throw new Error('no records');
          const found = await read(format, logBatch(records));
          // Zeros at the end of a decimal are not kept by a JSON number: 0.0 is 0.
          const plain = <Read extends { raw: Uint8Array; price: string }>({ raw, price, ...rest }: Read) => ({
            ...rest,
            raw: Buffer.from(raw).toString('hex'),
            price: 'decimal' in options ? plainDecimal(price) : price,
          });
          expect(found.rows.map((one) => plain({ ...one, note: one.note ?? null }))).toEqual(rows.map(plain));
        }),
        { numRuns: 200 },
      );
    }
  });

  test('writes all digits of numbers that a double would round', async () => {
    const schema = rowSchema({
      id: t.int64(),
      price: t.decimal(30, 2),
      at: t.timestamp(),
      note: t.string().nullable(),
    });
    const rows = [{ id: 9007199254740993n, price: '12345678901234567890.10', at: 1_700_000_000_000_001n }];
    expect((await written(json({ schema }), [batchOf(rows)])).texts).toEqual([
      [
        null,
        '{"id":9007199254740993,"price":"12345678901234567890.10","at":"2023-11-14T22:13:20.000001Z","note":null}',
      ],
    ]);
    const other = json({ schema, int64: 'string', decimal: 'number', key: ['id'], keyForm: 'text' });
    expect((await written(other, [batchOf(rows)])).texts).toEqual([
      [
        '9007199254740993',
        '{"id":"9007199254740993","price":12345678901234567890.10,"at":"2023-11-14T22:13:20.000001Z","note":null}',
      ],
    ]);
  });

  test.each([
    [{ id: 1.5, name: 'x' }, 'id'],
    [{ id: 2n ** 63n, name: 'x' }, 'id'],
    [{ id: 1, name: null }, 'name'],
    [{ id: 1 }, 'name'],
    [{ id: 1, name: 3 }, 'name'],
  ])('refuses the row %j', async (bad, column) => {
    const format = json({ schema: rowSchema({ id: t.int64(), name: t.string() }) });
    const rows = [{ id: 1, name: 'fine' }, bad as { id: number; name: string }];
    await expect(written(format, [batchOf(rows)])).rejects.toMatchObject({
      code: 'EOS_ROW',
      details: { partition: 'flights.ndjson', offset: 101n, column },
    });
  });

  test('with append holds inserts only', async () => {
    const format = json({ schema: rowSchema({ id: t.int32() }) });
    await expect(written(format, [batchOf([{ id: 1 }, { id: 2 }], [I, UA])])).rejects.toMatchObject({
      code: 'EOS_ROW',
    });
    await expect(read(format, logOf([[null, null]]))).rejects.toMatchObject({
      code: 'EOS_SOURCE_FORMAT',
      message: expect.stringContaining('tombstone'),
    });
  });
});

describe('json by key', () => {
  const schema = rowSchema({ id: t.int32(), name: t.string() });
  const format = json({ schema, mode: 'upsert', key: ['id'], headers: { origin: 'eos' } });
  const of = (id: number, name = `n${id}`) => ({ id, name });
  const key = (id: number) => `{"id":${id}}`;
  const value = (id: number, name = `n${id}`) => `{"id":${id},"name":"${name}"}`;

  test.each<[string, { id: number; name: string }[][], number[][], [string, string | null][]]>([
    [
      'writes the last row and tombstones',
      [[of(1), of(2), of(2)]],
      [[I, I, D]],
      [
        [key(1), value(1)],
        [key(2), value(2)],
        [key(2), null],
      ],
    ],
    ['drops the first half of an update', [[of(1, 'a'), of(1, 'b')]], [[UB, UA]], [[key(1), value(1, 'b')]]],
    [
      'deletes the old key of an update that changes it',
      [[of(1), of(2)]],
      [[UB, UA]],
      [
        [key(1), null],
        [key(2), value(2)],
      ],
    ],
    [
      'joins the halves of an update over two batches',
      [[of(1, 'a')], [of(1, 'b')]],
      [[UB], [UA]],
      [[key(1), value(1, 'b')]],
    ],
    [
      'deletes where the second half never comes',
      [[of(1)], [of(2)]],
      [[UB], [I]],
      [
        [key(1), null],
        [key(2), value(2)],
      ],
    ],
    ['deletes at the end of a transaction', [[of(1)]], [[UB]], [[key(1), null]]],
  ])('%s', async (_name, rows, ops, expected) => {
    const batches = rows.map((part, index) => batchOf(part, ops[index]));
    expect((await written(format, batches)).texts).toEqual(expected);
  });

  test('reads rows and tombstones, whose keys may be objects or bare values', async () => {
    const found = await read(
      format,
      logOf([
        [key(1), value(1)],
        [key(1), null],
        ['2', null],
      ]),
    );
    expect(found.rows).toEqual([of(1), { id: 1, name: null }, { id: 2, name: null }]);
    expect(found.ops).toEqual([UA, D, D]);
    const bare = json({
      schema: rowSchema({ id: t.string(), name: t.string() }),
      mode: 'upsert',
      key: ['id'],
      keyForm: 'text',
    });
    expect((await read(bare, logOf([['a "b"', null]]))).rows).toEqual([{ id: 'a "b"', name: null }]);
  });

  test('stops at a record that cannot be read, or skips it', async () => {
    const log = logOf([
      [key(1), value(1)],
      [null, null],
      [key(2), '{"id":'],
      [key(3), value(3)],
    ]);
    await expect(read(format, log)).rejects.toMatchObject({
      code: 'EOS_SOURCE_FORMAT',
      details: { partition: 'orders/3', offset: 1n },
    });
    const { rows, indexes, poison } = await read(format, log, true);
    expect(rows).toEqual([of(1), of(3)]);
    expect(indexes).toEqual([0, 3]);
    expect(poison.map(({ index }) => index)).toEqual([1, 2]);
  });

  test('has one key for equal values', async () => {
    const decimals = json({
      schema: rowSchema({ id: t.decimal(), x: t.float64() }),
      mode: 'upsert',
      key: ['id', 'x'],
    });
    const rows = ['1.50', '+1.5', '01.500', '-0', '0.0', '10'].map((id, index) => ({
      id,
      x: index % 2 === 0 ? 0 : -0,
    }));
    const { texts } = await written(decimals, [batchOf(rows)]);
    expect(texts.map(([text]) => text)).toEqual(
      ['1.5', '1.5', '1.5', '0', '0', '10'].map((id) => `{"id":"${id}","x":0}`),
    );
  });

  test.each([
    [{ mode: 'upsert' }, 'key'],
    [{ mode: 'upsert', key: ['nothing'] }, 'key'],
    [{ mode: 'upsert', key: ['id', 'id'] }, 'key'],
    [{ mode: 'upsert', key: ['id', 'name'], keyForm: 'text' }, 'keyForm'],
  ] as const)('refuses the options %j', (options, option) => {
    expect(() => json({ schema, ...options })).toThrow(
      expect.objectContaining({ code: 'EOS_CONFIG', details: expect.objectContaining({ option }) }),
    );
  });
});
