import { describe, expect, test } from '@jest/globals';
import { RowHash } from './row-hash.js';

function hashOf(bytes: Uint8Array, seed = 7): readonly number[] {
  const hash = new RowHash(seed);
  hash.of(bytes, 0, bytes.length);
  return [hash.a, hash.b, hash.c, hash.d];
}

function bitsOf(numbers: readonly number[]): number {
  let bits = 0;
  for (const number of numbers) for (let bit = 0; bit < 32; bit++) bits += (number >>> bit) & 1;
  return bits;
}

describe('RowHash', () => {
  test('does not depend on where the bytes lie', () => {
    const bytes = Buffer.from('some bytes that make more than one block');
    const shifted = Buffer.concat([Buffer.from('xyz'), bytes, Buffer.from('more')]);
    const hash = new RowHash(7);
    hash.of(shifted, 3, 3 + bytes.length);
    expect([hash.a, hash.b, hash.c, hash.d]).toEqual(hashOf(bytes));
  });

  test('of bytes with zeros behind is another one, and of another seed too', () => {
    const texts = ['', '\0', '\0\0', 'a', 'a\0', 'a'.repeat(16), `${'a'.repeat(16)}\0`];
    const hashes = texts.map((text) => hashOf(Buffer.from(text)).join());
    expect(new Set(hashes).size).toBe(texts.length);
    expect(hashOf(Buffer.from('a'), 8)).not.toEqual(hashOf(Buffer.from('a')));
  });

  test('changes half of its bits with every bit of the input', () => {
    const bytes = Buffer.from('1234567\tLondon\t2024-02-29 12:00:00+00');
    const before = hashOf(bytes);
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const changed = bitsOf(hashOf(flipped).map((number, index) => number ^ (before[index] ?? 0)));
      // 64 of 128 with a standard deviation of 5.7.
      expect(changed).toBeGreaterThan(30);
      expect(changed).toBeLessThan(98);
    }
  });

  test('tells a million short rows apart, and spreads them evenly over buckets', () => {
    const count = 1_000_000;
    const hash = new RowHash(7);
    const bytes = Buffer.alloc(8);
    const seen = new Float64Array(count);
    const buckets = new Uint32Array(1_024);
    for (let row = 0; row < count; row++) {
      const length = bytes.write(String(row));
      hash.of(bytes, 0, length);
      // 52 of the bits: about 0.0001 collisions among a million rows.
      seen[row] = (hash.a >>> 0) * 2 ** 20 + (hash.b >>> 12);
      const bucket = hash.a >>> 22;
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    }
    seen.sort();
    let equal = 0;
    for (let row = 1; row < count; row++) if (seen[row] === seen[row - 1]) equal++;
    expect(equal).toBe(0);
    // 977 in each with a standard deviation of 31.
    expect(Math.min(...buckets)).toBeGreaterThan(750);
    expect(Math.max(...buckets)).toBeLessThan(1_200);
  });
});
