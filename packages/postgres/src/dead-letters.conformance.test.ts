import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { describeWithService } from '@eos/services';
import { conformance } from '@eos/testkit';
import { postgresDestination } from './conformance.testing.js';

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
    const groups: readonly string[] = GROUPS[mode];
    describe(mode, () =>
      conformance({
        describe: (name, body) => {
          if (name.startsWith('conformance') || groups.includes(name)) describe(name, body);
        },
        test,
        expect,
        name: `postgres, ${mode}, dead letters`,
        create: () => postgresDestination(getService(), mode, ['conformance'], 'dead-letter'),
      }),
    );
  }
});
