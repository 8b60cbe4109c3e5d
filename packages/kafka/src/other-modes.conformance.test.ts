import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { describeWith, missingForKafka } from '@eos/services';
import { conformance } from '@eos/testkit';
import { startTestBroker } from './broker.testing.js';
import { kafkaDestination } from './conformance.testing.js';

/** The suite runs on upserts (`upsert.conformance.test.ts`): here is what differs by mode, how rows become records. */
const ROWS = ['changelogs', 'values'];
const isWhole = process.env['EOS_TEST_SLOW'] === '1';

describeWith({ describe, beforeAll, afterAll }, 'kafka', missingForKafka(), startTestBroker, (getBroker) => {
  for (const mode of ['append', 'retract'] as const) {
    conformance({
      describe: (name, body) => {
        if (isWhole || name.startsWith('conformance') || ROWS.includes(name)) describe(name, body);
      },
      test,
      expect,
      name: `kafka, ${mode}`,
      create: () => kafkaDestination(getBroker(), mode),
    });
  }
});
