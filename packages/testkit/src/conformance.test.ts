import { describe, expect, test } from '@jest/globals';
import { brokenSinks, type BrokenSink } from './broken/catalogue.testing.js';
import { collectTests } from './broken/collecting-runner.testing.js';
import { conformance } from './conformance/conformance.js';
import { memoryDestination } from './memory/memory-destination.js';

function testsFor({ mode = 'append', connect }: Partial<BrokenSink>) {
  const create = async () => memoryDestination({ mode, ...(connect === undefined ? {} : { connect }) });
  return collectTests(expect, (runner) => conformance({ ...runner, create }));
}

/** The groups of the suite, in order. */
const groups = [...new Set(testsFor({}).map(({ group }) => group))];

describe('the suite catches, by the law it breaks, a sink that', () => {
  for (const broken of brokenSinks) {
    test(`${broken.name} (${broken.caughtBy})`, async () => {
      const tests = testsFor(broken).filter(({ group }) => group === broken.caughtBy);
      expect(tests.length).toBeGreaterThan(0);
      const failed: string[] = [];
      for (const { name, run } of tests) {
        if ((await run()) !== undefined) failed.push(name);
        if (failed.length > 0) break;
      }
      expect(failed).not.toEqual([]);
    }, 300_000);
  }
});

test('there is a broken sink for every group of the suite', () => {
  const caught = new Set(brokenSinks.map(({ caughtBy }) => caughtBy));
  expect(groups.filter((group) => !caught.has(group))).toEqual([]);
});
