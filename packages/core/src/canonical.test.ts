import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { canonicalText, type CanonicalValue } from './canonical.js';

const shuffled = (value: CanonicalValue): CanonicalValue => {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, member === undefined ? undefined : shuffled(member)]),
  );
};

describe('canonical text', () => {
  test('sorts keys, writes bigints as decimal strings and no white space', () => {
    expect(canonicalText({ b: [1n, null, true], a: { z: 'ü"', y: 0.5 }, gone: undefined })).toBe(
      '{"a":{"y":0.5,"z":"ü\\""},"b":["1",null,true]}',
    );
  });

  test('is the same whatever the order of the keys, and parses back', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const canonical = value as CanonicalValue;
        const text = canonicalText(canonical);
        expect(canonicalText(shuffled(canonical))).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  test('refuses what JSON cannot hold', () => {
    expect(() => canonicalText({ a: NaN })).toThrow(expect.objectContaining({ code: 'EOS_CONFIG' }));
  });
});
