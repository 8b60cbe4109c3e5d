import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { describeWith, missingForKafka } from '@eos/services';
import { conformance } from '@eos/testkit';
import { startTestBroker } from './broker.testing.js';
import { kafkaDestination } from './conformance.testing.js';
import { canRunPlatformatic, whyNoPlatformatic } from './platformatic.testing.js';

/**
 * What the driver does: connect, lose a connection, be shut off. The rest is the same code as with KafkaJS, and left to
 * `npm run proof -- kafka-platformatic`, which runs the whole suite.
 */
const isWhole = process.env['EOS_TEST_SLOW'] === '1';
const GROUPS = [
  'life cycle',
  'law 1: claim and barrier',
  'law 3: lost answers',
  'law 4: fenced means stop',
  'outage',
  'crash',
];

if (canRunPlatformatic) {
  describeWith(
    { describe, beforeAll, afterAll },
    'kafka',
    missingForKafka(),
    startTestBroker,
    (getBroker) => {
      conformance({
        describe: (name, body) => {
          if (isWhole || name.startsWith('conformance') || GROUPS.includes(name)) describe(name, body);
        },
        test,
        expect,
        name: 'kafka by @platformatic/kafka, upsert',
        create: () => kafkaDestination(getBroker(), 'upsert', 'platformatic'),
      });
    },
  );
} else {
  process.stderr.write(`skipped, ${whyNoPlatformatic}: run it by npx node@24\n`);
  test.skip(`conformance by @platformatic/kafka (skipped: ${whyNoPlatformatic})`, () => undefined);
}
