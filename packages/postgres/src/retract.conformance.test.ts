import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { describeWithService } from '@eos/services';
import { conformance } from '@eos/testkit';
import { postgresDestination } from './conformance.testing.js';

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  conformance({
    describe,
    test,
    expect,
    name: 'postgres, retract',
    create: () => postgresDestination(getService(), 'retract'),
  });
});
