import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { describeWithService } from '@eos/services';
import { conformance } from '@eos/testkit';
import { postgresDestination } from './conformance.testing.js';

/** Both modes share claims, commit and the rows that wait for their tables; what is left to an append is how they get in. */
const APPEND_GROUPS = ['atomicity', 'crash', 'changelogs', 'values', 'volume'];

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  for (const mode of ['append', 'upsert'] as const) {
    conformance({
      describe: (name, body) => {
        if (mode === 'upsert' || name.startsWith('conformance') || APPEND_GROUPS.includes(name))
          describe(name, body);
      },
      test,
      expect,
      name: `postgres, ${mode} to three tables`,
      create: () => postgresDestination(getService(), mode, ['conformance', 'second', 'third']),
    });
  }
});
