import { atomicity } from './atomicity.js';
import { changelogs } from './changelogs.js';
import { crashes } from './crash.js';
import { deadLetters } from './dead-letters.js';
import { emptyCommits } from './empty-commits.js';
import { isolation } from './isolation.js';
import { claimLaw } from './law-1-claim.js';
import { compareAndSetLaw } from './law-2-compare-and-set.js';
import { lostAnswerLaw } from './law-3-lost-answers.js';
import { fencedLaw } from './law-4-fenced.js';
import { regressedLaw } from './law-5-regressed.js';
import { noClockLaw } from './law-6-no-clock.js';
import { lifeCycle } from './life-cycle.js';
import { misuse } from './misuse.js';
import { outages } from './outage.js';
import { recreated } from './recreated.js';
import { replay } from './replay.js';
import { suiteOf, type SuiteOptions } from './suite.js';
import { values } from './values.js';
import { volume } from './volume.js';

export interface ConformanceOptions extends SuiteOptions {
  /** Added to the suite's name, where one sink is tested in several modes. */
  readonly name?: string;
}

/**
 * Declares the whole suite with the given test runner. It reads what the connector declares about itself, tests what follows
 * from that, and takes no switch to leave anything out.
 * @example
 * import { describe, expect, test } from '@jest/globals';
 * conformance({ describe, test, expect, create: () => redisDestination() });
 */
export function conformance(options: ConformanceOptions): void {
  const suite = suiteOf(options);
  const name = options.name === undefined ? 'conformance' : `conformance of ${options.name}`;
  suite.group(name, () => {
    lifeCycle(suite);
    misuse(suite);
    atomicity(suite);
    claimLaw(suite);
    compareAndSetLaw(suite);
    lostAnswerLaw(suite);
    fencedLaw(suite);
    regressedLaw(suite);
    noClockLaw(suite);
    recreated(suite);
    crashes(suite);
    replay(suite);
    emptyCommits(suite);
    changelogs(suite);
    deadLetters(suite);
    isolation(suite);
    values(suite);
    volume(suite);
    outages(suite);
  });
}
