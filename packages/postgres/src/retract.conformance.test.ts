import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { describeWithService } from '@eos/services';
import { conformance } from '@eos/testkit';
import { postgresDestination } from './conformance.testing.js';
import { MANY_COMMITS, partOf } from './suite-parts.testing.js';

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  conformance({
    // Its commits are those of an append.
    ...partOf({ describe, test }, { without: MANY_COMMITS }),
    expect,
    name: 'postgres, retract',
    create: () => postgresDestination(getService(), 'retract'),
  });
});
