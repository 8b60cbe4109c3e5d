import { conditions } from './conditions.js';
import type { ObjectStoreConformanceOptions } from './harness.js';
import { listing } from './listing.js';
import { lostAnswers } from './lost-answers.js';
import { processes } from './processes.js';
import { reading } from './reading.js';
import { storeSuiteOf } from './suite.js';
import { uploads } from './uploads.js';
import { writing } from './writing.js';

/**
 * Declares the suite for object stores with the given test runner: every promise of the port, and none may be left out.
 * @example
 * import { describe, expect, test } from '@jest/globals';
 * objectStoreConformance({ describe, test, expect, reach: 'process', create: () => myHarness() });
 */
export function objectStoreConformance(options: ObjectStoreConformanceOptions): void {
  const suite = storeSuiteOf(options);
  const name = 'conformance of object stores';
  suite.group(options.name === undefined ? name : `${name}: ${options.name}`, () => {
    reading(suite);
    writing(suite);
    conditions(suite);
    listing(suite);
    uploads(suite);
    if (options.reach === 'machine') processes(suite);
    if (options.reach === 'network') lostAnswers(suite);
  });
}
