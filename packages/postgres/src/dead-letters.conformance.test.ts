import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { describeWithService } from '@eos/services';
import { conformance } from '@eos/testkit';
import { postgresDestination } from './conformance.testing.js';
import { partOf } from './suite-parts.testing.js';

/** An append that sets rows aside has a way of writing of its own; the other modes write as they do without, and then again in parts. */
const GROUPS = {
  append: [
    'life cycle',
    'atomicity',
    'law 3: lost answers',
    'crash',
    'changelogs',
    'values',
    'outage',
    'dead letters',
  ],
  upsert: ['dead letters'],
  retract: ['dead letters'],
} as const;

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  for (const mode of ['append', 'upsert', 'retract'] as const) {
    describe(mode, () =>
      conformance({
        ...partOf({ describe, test }, { groups: GROUPS[mode] }),
        expect,
        name: `postgres, ${mode}, dead letters`,
        create: () => postgresDestination(getService(), mode, ['conformance'], 'dead-letter'),
      }),
    );
  }
});
