import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Reader } from './reader.js';
import { Writer } from './writer.js';

describe('the primitive types of the protocol', () => {
  test('are read as they were written', () => {
    const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    const values = fc.record({
      int32,
      int16: fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }),
      int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      unsigned: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      text: fc.string({ unit: 'grapheme', maxLength: 200 }),
      list: fc.array(int32, { maxLength: 200 }),
    });
    fc.assert(
      fc.property(values, ({ int32: whole, int16, int64, unsigned, text, list }) => {
        const writer = new Writer(1);
        writer
          .boolean(true)
          .int8(-7)
          .int16(int16)
          .int32(whole)
          .int64(int64)
          .unsignedVarint(unsigned)
          .varint(whole);
        writer.compactString(text).compactNullableString(null).int32Array(list).tags();
        const reader = new Reader(Buffer.from(writer.written));
        const read = [
          reader.boolean(),
          reader.int8(),
          reader.int16(),
          reader.int32(),
          reader.int64(),
          reader.unsignedVarint(),
          reader.varint(),
          reader.compactString(),
          reader.compactNullableString(),
          reader.int32Array(),
        ];
        reader.tags();
        expect(read).toEqual([true, -7, int16, whole, int64, unsigned, whole, text, null, list]);
        expect(reader.remaining).toBe(0);
      }),
    );
  });

  // kafka.apache.org/protocol: UNSIGNED_VARINT and VARINT are those of Protocol Buffers.
  test.each([
    [0, '00'],
    [127, '7f'],
    [128, '8001'],
    [300, 'ac02'],
    [2 ** 32 - 1, 'ffffffff0f'],
  ])('unsigned %d is %s', (value, hex) => {
    expect(new Writer().unsignedVarint(value).written.toString('hex')).toBe(hex);
  });

  test.each([
    [0, '00'],
    [-1, '01'],
    [1, '02'],
    [-2147483648, 'ffffffff0f'],
    [2147483647, 'feffffff0f'],
  ])('signed %d is %s', (value, hex) => {
    expect(new Writer().varint(value).written.toString('hex')).toBe(hex);
  });

  test('tagged fields that are not known are skipped', () => {
    const reader = new Reader(Buffer.from('02' + '0003616263' + '050100' + '2a', 'hex'));
    reader.tags();
    expect(reader.int8()).toBe(42);
  });

  test('what ends too early is an error, not a wrong value', () => {
    for (const read of [
      (reader: Reader) => reader.int32(),
      (reader: Reader) => reader.compactString(),
      (reader: Reader) => reader.int32Array(),
      (reader: Reader) => reader.uuid(),
      (reader: Reader) => reader.unsignedVarint(),
    ])
      expect(() => read(new Reader(Buffer.from('ffff', 'hex')))).toThrow(RangeError);
  });
});
