import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { seed } from '../commits.testing.js';
import { KeyBuckets, LiveChanges } from './key-buckets.js';

const folders = () => readdirSync(tmpdir()).filter((name) => name.startsWith('eos-s3-fold-')).length;

describe('KeyBuckets', () => {
  test.each([
    ['in memory', 1, 2_000],
    // More than is kept in memory of each bucket; some keys are larger than that by themselves.
    ['through temporary files', 100, 8_000],
  ])(`leaves the last change of each key, %s (seed ${seed})`, (_, repeat, count) => {
    const before = folders();
    const keys = fc
      .sample(fc.string({ unit: 'grapheme', maxLength: 3 }), { seed, numRuns: 50 })
      .map((key, index) => key.repeat(index === 0 ? 250 * repeat : repeat));
    const random = fc.sample(fc.tuple(fc.integer({ min: 0, max: 49 }), fc.nat(2)), { seed, numRuns: count });
    const buckets = new KeyBuckets();
    const last = new Map<string, number>();
    random.forEach(([number, kind], index) => {
      const key = keys[number] ?? '';
      buckets.add(key, index, kind === 0);
      if (kind === 0) last.delete(key);
      else last.set(key, index);
    });
    if (repeat > 1) expect(folders()).toBe(before + 1);
    const live = new LiveChanges(count);
    buckets.fold(live);
    buckets.close();
    expect(folders()).toBe(before);
    const found = random.flatMap((_, index) => (live.has(index) ? [index] : []));
    expect(found).toEqual([...last.values()].sort((a, b) => a - b));
    expect(live.hasAny(0, count)).toBe(last.size > 0);
    const first = found[0] ?? count;
    expect(live.hasAny(0, first)).toBe(false);
    expect(live.hasAny(first, first + 1)).toBe(first < count);
  });
});
