import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { describeWithService } from '@eos/services';
import { conformance } from '@eos/testkit';
import { postgresDestination } from './conformance.testing.js';

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  for (const mode of ['append', 'upsert'] as const) {
    conformance({
      describe,
      test,
      expect,
      name: `postgres, ${mode} to three tables`,
      create: () => postgresDestination(getService(), mode, ['conformance', 'second', 'third']),
    });
  }
});
