import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { snappyUncompress } from 'hyparquet/src/snappy.js';
import { xxhash64 } from 'hyparquet/src/xxhash.js';
import { seed } from '../files.testing.js';
import { cut, successor } from './bounds.js';
import { snappyCompress } from './snappy.js';
import { Xxhash64 } from './xxhash64.js';

/** From bytes that all differ to those that are all the same. */
const bytes = fc
  .tuple(
    fc.uint8Array({ maxLength: 300 }),
    fc.integer({ min: 1, max: 300 }),
    fc.uint8Array({ maxLength: 50 }),
  )
  .map(([part, times, end]) => Buffer.concat([...Array.from({ length: times }, () => part), end]));

describe(`snappy (seed ${seed})`, () => {
  test('what was compressed is there again', () => {
    fc.assert(
      fc.property(fc.oneof(bytes, fc.uint8Array({ maxLength: 100 })), (input) => {
        const output = new Uint8Array(input.length);
        if (input.length > 0) snappyUncompress(snappyCompress(input), output);
        expect(Buffer.compare(output, input)).toBe(0);
      }),
      { seed, numRuns: 400 },
    );
  });

  test.each([0, 1, 14, 15, 16, 59, 60, 61, 256, 257, 65_535, 65_536, 65_537, 200_000])(
    '%i bytes',
    (length) => {
      for (const input of [
        Buffer.alloc(length),
        Buffer.from(Array.from({ length }, (_, at) => (at * at) % 251)),
      ]) {
        const output = new Uint8Array(length);
        if (length > 0) snappyUncompress(snappyCompress(input), output);
        expect(Buffer.compare(output, input)).toBe(0);
      }
    },
  );
});

test(`XXH64 is that of hyparquet (seed ${seed})`, () => {
  const hash = new Xxhash64();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (input) => {
      hash.hash(input, 0, input.length);
      expect((BigInt(hash.high) << 32n) | BigInt(hash.low)).toBe(BigInt.asUintN(64, xxhash64(input)));
    }),
    { seed, numRuns: 2000 },
  );
});

describe(`bounds that are cut (seed ${seed})`, () => {
  const texts = fc.string({
    unit: fc.constantFrom('a', 'é', '€', '😀', '\u{10ffff}', '\uffff', '\ud7ff', '\x7f'),
  });

  test('text: no less than the lower, no more than the upper, and text themselves', () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 12 }), (text, length) => {
        const whole = Buffer.from(text);
        const lower = cut(whole, length, true);
        expect(Buffer.compare(lower, whole)).toBeLessThanOrEqual(0);
        expect(Buffer.from(Buffer.from(lower).toString()).equals(lower)).toBe(true);
        const upper = successor(lower, true);
        if (upper === undefined) return;
        expect(upper.length).toBeLessThanOrEqual(length);
        expect(Buffer.compare(upper, whole)).toBeGreaterThan(0);
        expect(Buffer.from(Buffer.from(upper).toString()).equals(upper)).toBe(true);
      }),
      { seed, numRuns: 2000 },
    );
  });

  test('bytes: the same', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(0, 1, 0xfe, 0xff)),
        fc.integer({ min: 1, max: 6 }),
        (numbers, length) => {
          const whole = Uint8Array.from(numbers);
          const lower = cut(whole, length, false);
          expect(Buffer.compare(lower, whole)).toBeLessThanOrEqual(0);
          const upper = successor(lower, false);
          if (upper !== undefined) expect(Buffer.compare(upper, whole)).toBeGreaterThan(0);
          else expect(lower.every((byte) => byte === 0xff)).toBe(true);
        },
      ),
      { seed, numRuns: 2000 },
    );
  });
});
