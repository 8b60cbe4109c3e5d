import { conformance } from '@eos/testkit';
import { describe, expect, test } from '@jest/globals';
import { destinationIn, VARIANTS, variantName } from './conformance.testing.js';
import { localLaboratory } from './local.testing.js';

for (const variant of VARIANTS) {
  const name = `s3 in a local folder: ${variantName(variant)}`;
  conformance({
    describe,
    test,
    expect,
    name,
    create: async () => destinationIn(await localLaboratory(), variant),
  });
}
