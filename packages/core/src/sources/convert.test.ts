import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { t, type ColumnType } from '../schema.js';
import { jsonConverter, textConverter } from './convert.js';
import { seed } from './reading.testing.js';

const kinds: Record<string, ColumnType> = {
  boolean: t.boolean().type,
  int32: t.int32().type,
  int64: t.int64().type,
  float64: t.float64().type,
  decimal: t.decimal().type,
  'decimal(5, 2)': t.decimal(5, 2).type,
  string: t.string().type,
  bytes: t.bytes().type,
  date: t.date().type,
  timestamp: t.timestamp().type,
  json: t.json().type,
  uuid: t.uuid().type,
};

const typeOf = (kind: string) => kinds[kind] ?? t.string().type;
const micros = (iso: string, rest = 0) => BigInt(Date.parse(iso)) * 1000n + BigInt(rest);

describe('text', () => {
  test.each([
    ['boolean', 'true', true],
    ['boolean', 'F', false],
    ['boolean', '1', true],
    ['int32', '-2147483648', -2147483648],
    ['int32', '+007', 7],
    ['int32', '-0', 0],
    ['int64', '9223372036854775807', 9223372036854775807n],
    ['int64', '-9223372036854775808', -9223372036854775808n],
    ['int64', '+5', 5n],
    ['float64', '-1.5e-3', -0.0015],
    ['float64', '.5', 0.5],
    ['float64', 'NaN', NaN],
    ['float64', '-Infinity', -Infinity],
    ['decimal', '-12.50', '-12.50'],
    ['decimal', '123456789012345678901234567890.123', '123456789012345678901234567890.123'],
    ['decimal', '1.25e3', '1250'],
    ['decimal', '1.25e1', '12.5'],
    ['decimal', '-125e-5', '-0.00125'],
    ['decimal(5, 2)', '-999.990', '-999.990'],
    ['decimal(5, 2)', '0001', '0001'],
    ['string', '', ''],
    ['bytes', 'AP/+', Buffer.from([0, 255, 254])],
    ['bytes', '\\x00fF', Buffer.from([0, 255])],
    ['bytes', '', Buffer.alloc(0)],
    ['date', '2024-02-29', '2024-02-29'],
    ['timestamp', '2024-02-29T12:34:56.123456Z', micros('2024-02-29T12:34:56.123Z', 456)],
    ['timestamp', '2024-02-29 12:34:56.1234560+00', micros('2024-02-29T12:34:56.123Z', 456)],
    ['timestamp', '2001-01-01 00:47', micros('2001-01-01T00:47:00Z')],
    ['timestamp', '2001-01-01', micros('2001-01-01T00:00:00Z')],
    ['timestamp', '1969-12-31T23:59:59.999999Z', -1n],
    ['timestamp', '2024-06-01T00:00:00+05:30', micros('2024-05-31T18:30:00Z')],
    ['timestamp', '2024-06-01T00:00:00-0800', micros('2024-06-01T08:00:00Z')],
    ['timestamp', '9999-12-31T23:59:59.999999Z', micros('9999-12-31T23:59:59.999Z', 999)],
    ['timestamp', '0001-01-01T00:00:00.000001Z', micros('0001-01-01T00:00:00Z', 1)],
    ['json', '{"a":[1,null]}', { a: [1, null] }],
    ['uuid', '0F8FAD5B-D9CB-469F-A165-70867728950E', '0f8fad5b-d9cb-469f-a165-70867728950e'],
  ])('of %s: %s', (kind, text, expected) => {
    expect(textConverter(typeOf(kind))(text)).toEqual(expected);
    // JSON may hold the same as text, but for what is JSON itself.
    if (kind !== 'json') expect(jsonConverter(typeOf(kind))(text)).toEqual(expected);
  });

  test.each([
    ['boolean', 'yes'],
    ['int32', '2147483648'],
    ['int32', '1.0'],
    ['int32', ' 1'],
    ['int32', '0x10'],
    ['int64', '9223372036854775808'],
    ['int64', '1e3'],
    ['int64', ''],
    ['float64', '1e999'],
    ['float64', '0x1'],
    ['float64', ''],
    ['float64', '1 '],
    ['decimal', 'NaN'],
    ['decimal', '1e9999'],
    ['decimal', '.'],
    ['decimal(5, 2)', '1.001'],
    ['decimal(5, 2)', '1000'],
    ['decimal(5, 2)', '1e3'],
    ['bytes', 'AP/'],
    ['bytes', '\\x0'],
    ['bytes', 'AP_-'],
    ['date', '2023-02-29'],
    ['date', '2024-13-01'],
    ['date', '2024-1-1'],
    ['date', '2024-01-01T00:00'],
    ['timestamp', '2024-02-29T12:34:56.1234567Z'],
    ['timestamp', '2024-02-29T24:00:00Z'],
    ['timestamp', '2024-02-29T12:60:00Z'],
    ['timestamp', '2024-02-30T12:00:00Z'],
    ['timestamp', '2001/01/01 00:47'],
    ['timestamp', '2001-01-01Z'],
    ['timestamp', '1700000000'],
    ['json', '{a:1}'],
    ['uuid', '0f8fad5bd9cb469fa16570867728950e'],
  ])('that is no %s: %s', (kind, text) => {
    expect(textConverter(typeOf(kind))(text)).toBeUndefined();
    if (kind !== 'json') expect(jsonConverter(typeOf(kind))(text)).toBeUndefined();
  });
});

describe('values of JSON', () => {
  test.each([
    ['boolean', true, true],
    ['int32', 5, 5],
    ['int64', Number.MAX_SAFE_INTEGER, BigInt(Number.MAX_SAFE_INTEGER)],
    ['float64', 0.1, 0.1],
    ['decimal', 0.1, '0.1'],
    ['decimal', 1e-7, '0.0000001'],
    ['decimal', 1.5e300, `15${'0'.repeat(299)}`],
    ['decimal', -123456789012345, '-123456789012345'],
    ['decimal(5, 2)', 12.5, '12.5'],
    ['json', 'text', 'text'],
    ['json', [1], [1]],
  ])('of %s: %j', (kind, value, expected) => {
    expect(jsonConverter(typeOf(kind))(value)).toEqual(expected);
  });

  test.each([
    ['boolean', 1],
    ['int32', 1.5],
    ['int32', 2 ** 31],
    ['int64', 2 ** 53],
    ['int64', 0.5],
    ['float64', true],
    ['float64', Infinity],
    ['decimal', 2 ** 53],
    ['decimal', 0.1 + 0.2],
    ['decimal(5, 2)', 0.001],
    ['string', 1],
    ['string', { a: 1 }],
    ['bytes', [1]],
    ['date', 0],
    ['timestamp', 1700000000],
    ['uuid', 1],
  ])('that are no %s: %j', (kind, value) => {
    expect(jsonConverter(typeOf(kind))(value)).toBeUndefined();
  });
});

describe(`exactness (EOS_TEST_SEED=${seed})`, () => {
  test('a timestamp is the same microsecond, in any zone', () => {
    const min = Date.parse('0001-01-02T00:00:00Z');
    const max = Date.parse('9999-12-30T00:00:00Z');
    const property = fc.property(
      fc.date({ min: new Date(min), max: new Date(max), noInvalidDate: true }),
      fc.nat(999),
      fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 }),
      (date, rest, zone) => {
        const local = new Date(date.getTime() + zone * 60_000).toISOString().slice(0, -1);
        const size = Math.abs(zone);
        const digits = (value: number, width: number) => String(value).padStart(width, '0');
        const offset = `${zone < 0 ? '-' : '+'}${digits(Math.floor(size / 60), 2)}:${digits(size % 60, 2)}`;
        const text = `${local}${digits(rest, 3)}${offset}`;
        expect(textConverter({ kind: 'timestamp' })(text)).toBe(
          BigInt(date.getTime()) * 1000n + BigInt(rest),
        );
      },
    );
    fc.assert(property, { seed, numRuns: 1000 });
  });

  test('a decimal with an exponent is the same number', () => {
    const property = fc.property(
      fc.bigInt(),
      fc.integer({ min: -30, max: 30 }),
      fc.nat(20),
      (digits, exponent, point) => {
        const sign = digits < 0n ? '-' : '';
        const text = String(digits < 0n ? -digits : digits);
        const split = Math.min(point, text.length - 1);
        const mantissa = split === 0 ? text : `${text.slice(0, -split)}.${text.slice(-split)}`;
        const plain = textConverter({ kind: 'decimal' })(`${sign}${mantissa}e${exponent}`);
        // Compared as whole numbers of 10^-60.
        const [whole = '', fraction = ''] = (plain as string).split('.');
        const scaled = BigInt(whole + fraction.padEnd(60, '0'));
        expect(scaled).toBe(digits * 10n ** BigInt(60 + exponent - split));
        expect(plain).toMatch(/^-?\d+(\.\d+)?$/);
      },
    );
    fc.assert(property, { seed, numRuns: 1000 });
  });
});
