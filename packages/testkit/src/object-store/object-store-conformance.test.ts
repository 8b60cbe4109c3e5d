import { memoryBucket, memoryObjectStore } from '@eos/object-store';
import { describe, expect, test } from '@jest/globals';
import { collectTests } from '../broken/collecting-runner.testing.js';
import { brokenStores } from './broken-stores.testing.js';
import type { StoreHarness } from './harness.js';
import { objectStoreConformance } from './object-store-conformance.js';

function testsFor(create: () => StoreHarness) {
  return collectTests(expect, (runner) =>
    objectStoreConformance({ ...runner, reach: 'network', create: async () => create() }),
  );
}

const groups = new Set(testsFor(memory).map(({ group }) => group));

function memory(): StoreHarness {
  const bucket = memoryBucket();
  return { open: () => memoryObjectStore(bucket), close: async () => undefined };
}

describe('the suite for object stores catches, by the promise it breaks, one that', () => {
  for (const { name, caughtBy, create } of brokenStores) {
    test(`${name} (${caughtBy})`, async () => {
      const tests = testsFor(create).filter(({ group }) => group === caughtBy);
      expect(tests.length).toBeGreaterThan(0);
      const failed: string[] = [];
      for (const { name, run } of tests) {
        if ((await run()) !== undefined) failed.push(name);
        if (failed.length > 0) break;
      }
      expect(failed).not.toEqual([]);
    });
  }
});

test('there is a broken store for every group of the suite', () => {
  const caught = new Set(brokenStores.map(({ caughtBy }) => caughtBy));
  expect([...groups].filter((group) => !caught.has(group))).toEqual([]);
});
