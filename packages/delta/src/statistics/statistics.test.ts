import { nestedParquetWriter, type ParquetField } from '@eos/parquet';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { AddFile } from '../log/actions.js';
import { seed } from '../random.testing.js';
import type { DeltaField, DeltaType } from '../schema/delta-schema.js';
import { partitionTextOf } from '../schema/partition-values.js';
import { partitionValueOf } from '../schema/partition-texts.js';
import { dataFields } from '../schema/parquet-fields.js';
import { prepareCondition, type Condition } from './conditions.js';
import { fileFilter } from './file-skipping.js';
import { fileStatistics, looseStatistics } from './file-statistics.js';
import { compareText } from './value-order.js';

function field(name: string, type: DeltaType): DeltaField {
  return { name, type, isNullable: true, metadata: {} };
}

const FIELDS: readonly DeltaField[] = [
  field('flag', { kind: 'boolean' }),
  field('small', { kind: 'integer' }),
  field('large', { kind: 'long' }),
  field('ratio', { kind: 'double' }),
  field('price', { kind: 'decimal', precision: 38, scale: 3 }),
  field('name', { kind: 'string' }),
  field('raw', { kind: 'binary' }),
  field('day', { kind: 'date' }),
  field('moment', { kind: 'timestamp' }),
];

type Row = Readonly<Record<string, unknown>>;

async function statsOf(
  rows: readonly Row[],
  fields: readonly ParquetField[] = dataFields(FIELDS),
  configuration: Readonly<Record<string, string>> = {},
): Promise<string> {
  const writer = nestedParquetWriter(fields, () => undefined);
  await writer.write(rows);
  return fileStatistics(await writer.finish(), { configuration });
}

function fileWith(stats: string | undefined, partitionValues = {}): AddFile {
  const facts = { path: 'a', size: 1, modificationTime: 0, dataChange: true, partitionValues };
  return stats === undefined ? facts : { ...facts, stats };
}

const day = fc
  .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(0, 10));
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 4 }),
  fc.constantFrom('\uffff', '😀', 'é', '', 'z'.repeat(80), '😀'.repeat(20), '\u{10ffff}'.repeat(20)),
);
const nullable = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null, freq: 5 });
/** As texts of rows are. */
const decimal = fc
  .tuple(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.integer({ min: 100, max: 999 }))
  .map(([whole, fraction]) => `${whole}.${fraction}`);

const VALUES: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  flag: fc.boolean(),
  small: fc.integer(),
  large: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  ratio: fc.oneof(fc.double(), fc.constantFrom(-0, 0, NaN, Infinity, -Infinity)),
  price: decimal,
  name: text,
  raw: fc.uint8Array({ maxLength: 3 }),
  day,
  moment: fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n }),
};

describe(`statistics of files (EOS_TEST_SEED=${seed})`, () => {
  test('are the text that the protocol wants', async () => {
    const rows = [
      {
        flag: true,
        small: -3,
        large: 2n ** 63n - 1n,
        ratio: -0,
        price: '10000000000000000000.125',
        name: 'é',
      },
      { ratio: 1.5, day: '2024-02-29', moment: 1_500n, raw: Uint8Array.of(1), name: `${'a'.repeat(63)}😀` },
      { ratio: 0, moment: -1n },
    ];
    const top = `${'a'.repeat(62)}b`;
    expect(await statsOf(rows)).toBe(
      `{"numRecords":3,"minValues":{"small":-3,"large":9223372036854775807,"ratio":-0.0,"price":10000000000000000000.125,` +
        `"name":"${'a'.repeat(63)}","day":"2024-02-29","moment":"1969-12-31T23:59:59.999Z"},` +
        `"maxValues":{"small":-3,"large":9223372036854775807,"ratio":1.5,"price":10000000000000000000.125,` +
        `"name":"é","day":"2024-02-29","moment":"1970-01-01T00:00:00.002Z"},` +
        `"nullCount":{"flag":2,"small":2,"large":2,"ratio":0,"price":2,"name":1,"raw":2,"day":2,"moment":1}}`,
    );
    const long = JSON.parse(await statsOf([{ name: `${'a'.repeat(63)}😀` }])) as Record<string, Row>;
    expect([long['minValues']?.['name'], long['maxValues']?.['name']]).toEqual(['a'.repeat(63), top]);
  });

  test('have no bounds where there are none that are true', async () => {
    const stats = JSON.parse(
      await statsOf([
        { ratio: NaN, name: '\u{10ffff}'.repeat(20) },
        { ratio: 1, name: null },
      ]),
    ) as Record<string, Row>;
    expect(stats['minValues']).not.toHaveProperty('ratio');
    expect(stats['maxValues']).not.toHaveProperty('ratio');
    expect(stats['maxValues']).not.toHaveProperty('name');
    const infinite = JSON.parse(await statsOf([{ ratio: Infinity }])) as Record<string, Row>;
    expect(infinite['maxValues']).not.toHaveProperty('ratio');
  });

  test('are nested as the schema is, without what lies in lists and maps', async () => {
    const fields = dataFields([
      field('at', {
        kind: 'struct',
        fields: [field('x', { kind: 'integer' }), field('y', { kind: 'string' })],
      }),
      field('tags', { kind: 'array', element: { kind: 'string' }, containsNull: true }),
      field('id', { kind: 'integer' }),
    ]);
    const rows = [
      { at: { x: 1, y: 'a' }, tags: ['b'], id: 5 },
      { at: null, tags: null, id: 6 },
    ];
    expect(await statsOf(rows, fields)).toBe(
      '{"numRecords":2,"minValues":{"at":{"x":1,"y":"a"},"id":5},"maxValues":{"at":{"x":1,"y":"a"},"id":6},"nullCount":{"at":{"x":1,"y":1},"id":0}}',
    );
    const only = { 'delta.dataSkippingStatsColumns': 'at.y, id' };
    expect(await statsOf(rows, fields, only)).toContain('"minValues":{"at":{"y":"a"},"id":5}');
    const first = { 'delta.dataSkippingNumIndexedCols': '1' };
    expect(await statsOf(rows, fields, first)).toContain('"nullCount":{"at":{"x":1}}');
  });

  test('of a file with a deletion vector say that bounds may be wide', () => {
    const stats = '{"numRecords":3,"minValues":{"large":-9223372036854775808}}';
    const loose = '{"numRecords":3,"minValues":{"large":-9223372036854775808},"tightBounds":false}';
    expect(looseStatistics(stats, 3)).toBe(loose);
    expect(looseStatistics(loose, 3)).toBe(loose);
    expect(looseStatistics('{"tightBounds":true,"numRecords":3}', 3)).toBe(
      '{"numRecords":3,"tightBounds":false}',
    );
    expect(looseStatistics(undefined, 4)).toBe('{"numRecords":4,"tightBounds":false}');
    expect(looseStatistics('{"minValues":{}}', 4)).toBe('{"numRecords":4,"tightBounds":false}');
  });
});

/** What a condition means, said in another way. */
function meets(row: Row, condition: Condition): boolean {
  const value = row[condition.column];
  if ('isNull' in condition) return (value === null) === condition.isNull;
  if (value === null || Number.isNaN(value)) return false;
  const same = (other: unknown) => order(condition.column, value, other) === 0;
  if ('in' in condition)
    return condition.in.some((other) => other !== null && !Number.isNaN(other) && same(other));
  if (condition.from !== undefined && order(condition.column, value, condition.from) < 0) return false;
  return condition.to === undefined || order(condition.column, value, condition.to) <= 0;
}

function order(column: string, left: unknown, right: unknown): number {
  if (typeof left === 'string' && typeof right === 'string') {
    if (column !== 'price') return Buffer.compare(Buffer.from(left), Buffer.from(right));
    const [first, second] = [left, right].map((digits) => BigInt(digits.replace('.', '')));
    return Number((first ?? 0n) - (second ?? 0n));
  }
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.compare(left, right);
  const [first, second] = [left, right] as [number, number];
  return first < second ? -1 : first > second ? 1 : 0;
}

const row = fc.record(
  Object.fromEntries(Object.entries(VALUES).map(([name, value]) => [name, nullable(value)])),
) as fc.Arbitrary<Row>;
const condition: fc.Arbitrary<Condition> = fc
  .constantFrom(...FIELDS.map(({ name }) => name))
  .chain((column) => {
    const value = (VALUES[column] ?? fc.constant(null)).filter((each) => !Number.isNaN(each));
    return fc.oneof(
      fc.record({ column: fc.constant(column), in: fc.array(nullable(value), { maxLength: 4 }) }),
      fc.record({ column: fc.constant(column), from: value, to: value }, { requiredKeys: ['column'] }),
      fc.record({ column: fc.constant(column), isNull: fc.boolean() }),
    );
  });

describe(`conditions (EOS_TEST_SEED=${seed})`, () => {
  test('hold for the rows that they mean', () => {
    fc.assert(
      fc.property(row, condition, (each, wanted) => {
        const { holds } = prepareCondition(wanted, FIELDS);
        expect(holds(each[wanted.column])).toBe(meets(each, wanted));
      }),
      { seed, numRuns: 1_000 },
    );
  });

  test('never pass over a file that has a row', async () => {
    let skipped = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 4 }),
        fc.array(condition, { minLength: 1, maxLength: 3 }),
        async (rows, wanted) => {
          const file = fileWith(await statsOf(rows));
          const prepared = wanted.map((each) => prepareCondition(each, FIELDS));
          const isTaken = fileFilter(prepared, [])(file);
          const isLoose = fileFilter(
            prepared,
            [],
          )({ ...file, stats: looseStatistics(file.stats, rows.length) });
          expect(isLoose).toBe(isTaken);
          if (rows.some((each) => wanted.every((one) => meets(each, one)))) expect(isTaken).toBe(true);
          else if (!isTaken) skipped += 1;
        },
      ),
      { seed, numRuns: 200 },
    );
    expect(skipped).toBeGreaterThan(20);
  });

  test('take a file whose statistics say nothing, or nonsense', () => {
    const wanted = [prepareCondition({ column: 'small', from: 3 }, FIELDS)];
    const bad = [
      undefined,
      '',
      'null',
      '{',
      '{"maxValues":{"small":"x"}}',
      '{"maxValues":[],"nullCount":{"small":-1}}',
    ];
    for (const stats of bad) expect(fileFilter(wanted, [])(fileWith(stats))).toBe(true);
    expect(fileFilter(wanted, [])(fileWith('{"maxValues":{"small":2}}'))).toBe(false);
  });

  test('know that others cut microseconds off', () => {
    const at = (microseconds: bigint) =>
      fileFilter([prepareCondition({ column: 'moment', from: microseconds }, FIELDS)], []);
    const file = fileWith('{"maxValues":{"moment":"1970-01-01T00:00:00.001Z"}}');
    expect([at(1_999n)(file), at(2_000n)(file)]).toEqual([true, false]);
  });

  test('go by the log for partitions', () => {
    fc.assert(
      fc.property(row, condition, (each, wanted) => {
        const partition = FIELDS.filter(
          ({ name }) => name === wanted.column && name !== 'raw' && name !== 'flag',
        );
        fc.pre(partition.length === 1 && each[wanted.column] !== '');
        const texts = partition.map(
          (column) => [column.name, partitionTextOf(column)(each[column.name])] as const,
        );
        const file = fileWith(undefined, Object.fromEntries(texts));
        const taken = fileFilter([prepareCondition(wanted, FIELDS)], partition)(file);
        expect(taken).toBe(meets(each, wanted));
        const [column] = partition;
        if (column !== undefined) {
          const back = partitionValueOf(column)(texts[0]?.[1]);
          expect(partitionTextOf(column)(back)).toBe(texts[0]?.[1]);
        }
      }),
      { seed, numRuns: 1_000 },
    );
  });

  test.each([
    [{ column: 'nothing', isNull: true }],
    [{ column: 'small', from: 'x' }],
    [{ column: 'day', in: ['29.2.2024'] }],
  ])('are refused where they mean nothing: %j', (wanted) => {
    expect(() => prepareCondition(wanted, FIELDS)).toThrow(expect.objectContaining({ code: 'EOS_CONFIG' }));
  });

  test('compare text as UTF-8 does', () => {
    fc.assert(
      fc.property(text, text, (left, right) => {
        expect(Math.sign(compareText(left, right))).toBe(
          Buffer.compare(Buffer.from(left), Buffer.from(right)),
        );
      }),
      { seed, numRuns: 1_000 },
    );
  });
});
