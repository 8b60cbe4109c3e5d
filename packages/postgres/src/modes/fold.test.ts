import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ChangeBatch } from '@eos/core';
import { seed } from '../database.testing.js';
import { lastChanges, seenKeys } from './fold.js';
import type { KeyValue } from '../table/keys.js';

type Keyed = { readonly key: KeyValue };

const batchOf = (keys: readonly KeyValue[]): ChangeBatch<Keyed> => ({
  partition: '0',
  rows: keys.map((key) => ({ key })),
});
const changesOf = (keys: readonly KeyValue[]) => lastChanges(batchOf(keys), (row) => row['key'] as KeyValue);

/** Few distinct keys, so that they repeat; runs that ascend; and texts between them. */
const keys = fc.oneof(
  fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 12 }),
  fc
    .uniqueArray(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 12 })
    .map((list) => list.sort((a, b) => a - b)),
  fc.array(fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constantFrom('1', '7', 'x')), {
    minLength: 1,
    maxLength: 6,
  }),
);

describe(`the fold of a transaction (EOS_TEST_SEED=${seed})`, () => {
  test('keeps the last place of each key, in the order in which the keys came first', () => {
    fc.assert(
      fc.property(keys, (list) => {
        const last = new Map(list.map((key, index) => [key, index]));
        const { size, places, ...changes } = changesOf(list);
        expect([...changes.keys()]).toEqual([...last.keys()]);
        expect(size).toBe(last.size);
        expect([...(places ?? list.keys())]).toEqual([...last.values()]);
      }),
      { seed },
    );
  });

  test('tells each batch that repeats a key, and knows the highest one', () => {
    fc.assert(
      fc.property(fc.array(keys, { minLength: 1, maxLength: 6 }), (batches) => {
        const seen = seenKeys();
        const before = new Set<KeyValue>();
        for (const list of batches) {
          expect(seen.add(changesOf(list))).toBe(list.some((key) => before.has(key)));
          for (const key of list) before.add(key);
          for (const key of before)
            if (typeof key === 'number') expect(seen.highest).toBeGreaterThanOrEqual(key);
        }
      }),
      { seed },
    );
  });

  test('says yes where it cannot know, and no to keys above all others, however many they are', () => {
    const seen = seenKeys();
    const ascending = (first: number) =>
      changesOf(Array.from({ length: 60_000 }, (_, index) => first + index));
    expect(seen.add(ascending(0))).toBe(false);
    expect(seen.add(ascending(60_000))).toBe(false);
    expect(seen.add(ascending(200_000))).toBe(false);
    expect(seen.add(changesOf([150_000]))).toBe(true);
    expect(seen.add(changesOf([300_000]))).toBe(false);
  });

  test('a text among the keys may be above every number', () => {
    const seen = seenKeys();
    seen.add(changesOf(['x']));
    expect(seen.highest).toBe(Infinity);
    expect(seen.add(changesOf([1, 2]))).toBe(false);
    expect(seen.add(changesOf([2, 3]))).toBe(true);
  });
});
