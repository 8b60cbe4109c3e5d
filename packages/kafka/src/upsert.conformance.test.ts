import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { describeWith, missingForKafka } from '@eos/services';
import { conformance } from '@eos/testkit';
import { startTestBroker } from './broker.testing.js';
import { kafkaDestination } from './conformance.testing.js';

describeWith({ describe, beforeAll, afterAll }, 'kafka', missingForKafka(), startTestBroker, (getBroker) => {
  conformance({
    describe,
    test,
    expect,
    name: 'kafka, upsert',
    create: () => kafkaDestination(getBroker(), 'upsert'),
  });
});
