import { randomUUID } from 'node:crypto';
import { describeWith, missingForS3, startS3, type S3Server } from '@eos/services';
import { conformance } from '@eos/testkit';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { destinationIn, VARIANTS, variantName } from './conformance.testing.js';
import { serverLaboratory, type ServerLaboratory } from './server.testing.js';

const program = 'versitygw';

describeWith(
  { describe, beforeAll, afterAll },
  program,
  missingForS3(program),
  () => startS3({ program }),
  (getServer: () => S3Server) => {
    let server: ServerLaboratory;
    beforeAll(async () => {
      server = await serverLaboratory(getServer());
    });
    afterAll(() => server.close());
    for (const variant of VARIANTS) {
      conformance({
        describe,
        test,
        expect,
        name: `s3 in ${program}: ${variantName(variant)}`,
        create: async () => destinationIn(await server.laboratory(`${randomUUID()}/`), variant),
      });
    }
  },
);
