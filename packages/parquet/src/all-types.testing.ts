/** Rows of every type with the values at which files go wrong, and one text for each value, by which readers are compared. */
import { DuckDBBlobValue, DuckDBDateValue, DuckDBTimestampTZValue, type DuckDBValue } from '@duckdb/node-api';
import { rowSchema, t, type ColumnKind, type InferRow } from '@eos/core';
import fc from 'fast-check';

export const allTypes = rowSchema({
  flag: t.boolean().nullable(),
  small: t.int32().nullable(),
  big: t.int64().nullable(),
  ratio: t.float64().nullable(),
  price: t.decimal(9, 2).nullable(),
  amount: t.decimal(18, 6).nullable(),
  huge: t.decimal(38, 10).nullable(),
  name: t.string().nullable(),
  raw: t.bytes().nullable(),
  day: t.date().nullable(),
  moment: t.timestamp().nullable(),
  document: t.json().nullable(),
  reference: t.uuid().nullable(),
});

export type AllTypesRow = InferRow<typeof allTypes>;

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });

/** Around the length at which bounds are cut, of code points of each length, and with the greatest there are. */
export const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ unit: fc.constantFrom('a', 'é', '€', '😀', '\u{10ffff}', '\uffff', '\ud7ff', '\x7f', '\0') }),
  fc
    .tuple(
      fc.constantFrom('a', 'é', '€', '😀', '\u{10ffff}', '\x7f', '\ud7ff'),
      fc.integer({ min: 14, max: 70 }),
    )
    .chain(([unit, length]) => fc.string({ maxLength: 3 }).map((end) => unit.repeat(length) + end)),
);

function decimal(precision: number, scale: number): fc.Arbitrary<string> {
  const most = 10n ** BigInt(precision) - 1n;
  const unscaled = fc.oneof(fc.bigInt({ min: -most, max: most }), fc.constantFrom(most, -most, 0n, 1n, -1n));
  return unscaled.map((value) => decimalText(value, scale));
}

export function decimalText(value: bigint, scale: number): string {
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0');
  const [whole, fraction] = [digits.slice(0, digits.length - scale), digits.slice(digits.length - scale)];
  return `${value < 0n ? '-' : ''}${whole}${scale === 0 ? '' : `.${fraction}`}`;
}

const plain = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.boolean(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const json = fc.oneof(plain, fc.array(fc.option(plain)), fc.dictionary(fc.string(), fc.array(plain)));

export const allTypesRow: fc.Arbitrary<AllTypesRow> = fc.record({
  flag: fc.option(fc.boolean()),
  small: fc.option(fc.oneof(fc.integer(), fc.constantFrom(-(2 ** 31), 2 ** 31 - 1, 0))),
  big: fc.option(fc.oneof(int64, fc.constantFrom(-(2n ** 63n), 2n ** 63n - 1n, 0n, 2n ** 53n + 1n))),
  ratio: fc.option(fc.oneof(fc.double(), fc.constantFrom(NaN, 0, -0, Infinity, -Infinity, Number.MIN_VALUE))),
  price: fc.option(decimal(9, 2)),
  amount: fc.option(decimal(18, 6)),
  huge: fc.option(decimal(38, 10)),
  name: fc.option(text),
  raw: fc.option(
    fc.oneof(
      fc.uint8Array(),
      fc.integer({ min: 60, max: 70 }).map((length) => new Uint8Array(length).fill(255)),
    ),
  ),
  day: fc.option(
    fc
      .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
      .map((day) => day.toISOString().slice(0, 10)),
  ),
  moment: fc.option(
    fc.oneof(int64, fc.bigInt({ min: -(2n ** 51n), max: 2n ** 52n }), fc.constantFrom(-1n, 0n)),
  ),
  document: fc.option(json),
  reference: fc.option(fc.uuid()),
});

/** A value of a row as text: two have the same text only if they are the same. */
export function valueText(kind: ColumnKind, value: unknown): string | null {
  if (value === null || value === undefined) return null;
  switch (kind) {
    case 'float64':
      return doubleText(Number(value));
    case 'bytes':
      return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : 'no bytes';
    case 'json':
      return JSON.stringify(value);
    default:
      return typeof value === 'bigint' || typeof value === 'string' ? String(value) : JSON.stringify(value);
  }
}

/** The bits; NaN has many. */
function doubleText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  const bits = Buffer.alloc(8);
  bits.writeDoubleBE(value);
  return bits.toString('hex');
}

/** The same of what DuckDB has read. */
export function duckDbText(kind: ColumnKind, value: DuckDBValue): string | null {
  if (value === null) return null;
  if (value instanceof DuckDBTimestampTZValue) return String(value.micros);
  if (value instanceof DuckDBDateValue) return new Date(value.days * 86_400_000).toISOString().slice(0, 10);
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString('hex');
  if (kind === 'json') return JSON.stringify(JSON.parse(String(value)));
  return kind === 'float64' ? doubleText(Number(value)) : String(value);
}

/** The same of what pyarrow has read: a script whose `main` gets the paths of files and gives lists of rows. */
export const PYARROW_TEXTS = `
import datetime, json, math, struct
import pyarrow as pa, pyarrow.parquet as pq
def text(kind, value):
    if value is None: return None
    if kind == 'boolean': return 'true' if value else 'false'
    if kind == 'float64': return 'nan' if math.isnan(value) else struct.pack('>d', value).hex()
    if kind == 'bytes': return value.hex()
    if kind == 'uuid': return str(value) if not isinstance(value, bytes) else str(__import__('uuid').UUID(bytes=value))
    return str(value)
def column(kind, values):
    if kind == 'timestamp': values = values.cast(pa.int64())
    if kind == 'date': return [None if each is None else str(each) for each in values.to_pylist()]
    if kind == 'decimal': return [None if each is None else format(each, 'f') for each in values.to_pylist()]
    return [text(kind, each) for each in values.to_pylist()]
def main(input):
    answer = []
    for path in input['paths']:
        table = pq.ParquetFile(path).read()
        answer.append({name: column(kind, table[name]) for name, kind in input['kinds'].items()})
    return answer
`;
