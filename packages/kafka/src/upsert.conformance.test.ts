import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { describeWith, missingForKafka } from '@eos/services';
import { conformance } from '@eos/testkit';
import { startTestBroker } from './broker.testing.js';
import { kafkaDestination } from './conformance.testing.js';

/**
 * To put a broker back to an earlier state is to kill it and to start it again: the tests of law 5 take longer than all others together.
 * `npm test` runs these of them; `npm run proof -- kafka-tests`, which sets `EOS_TEST_SLOW`, all.
 */
const LAW_5 = 'law 5: going back';
const QUICK_OF_LAW_5 = [
  'a commit on a destination that went back tells so, and adds nothing',
  'of two partitions, only 1 went back: nothing is added to either',
  'a pipeline seeks back and ends with every row once',
];
const isWhole = process.env['EOS_TEST_SLOW'] === '1';

let group = '';
const leftOut: string[] = [];

describeWith({ describe, beforeAll, afterAll }, 'kafka', missingForKafka(), startTestBroker, (getBroker) => {
  conformance({
    describe: (name, body) => {
      group = name;
      describe(name, body);
    },
    test: (name, body, timeoutMs) => {
      if (isWhole || group !== LAW_5 || QUICK_OF_LAW_5.includes(name)) test(name, body, timeoutMs);
      else leftOut.push(name);
    },
    expect,
    name: 'kafka, upsert',
    create: () => kafkaDestination(getBroker(), 'upsert'),
  });
});
if (leftOut.length > 0)
  process.stderr.write(
    `left to npm run proof, of ${LAW_5}: ${leftOut.length} tests, each with a new broker\n`,
  );
