import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { describeWithService } from '@eos/services';
import { conformance } from '@eos/testkit';
import { postgresDestination } from './conformance.testing.js';
import { MANY_COMMITS, partOf } from './suite-parts.testing.js';

/**
 * Claims and commits are those of a single table, whatever the rows are; the identity of several tables is theirs. An append differs
 * from an upsert in how the rows of a table wait and get in.
 */
const GROUPS = {
  upsert: [
    'life cycle',
    'atomicity',
    'law 2: commit is a compare-and-set',
    'law 3: lost answers',
    'law 5: going back',
    'law 6: no clock decides',
    'a destination made again',
    'crash',
    'changelogs',
    'several pipelines and sinks on one destination',
    'values',
    'volume',
    'outage',
  ],
  append: ['atomicity', 'changelogs', 'volume'],
} as const;

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  for (const mode of ['append', 'upsert'] as const) {
    conformance({
      ...partOf({ describe, test }, { groups: GROUPS[mode], without: MANY_COMMITS }),
      expect,
      name: `postgres, ${mode} to three tables`,
      create: () => postgresDestination(getService(), mode, ['conformance', 'second', 'third']),
    });
  }
});
