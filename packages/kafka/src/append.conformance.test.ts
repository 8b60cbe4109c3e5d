import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { describeWith, missingForKafka } from '@eos/services';
import { conformance } from '@eos/testkit';
import { startTestBroker } from './broker.testing.js';
import { kafkaDestination } from './conformance.testing.js';

/** The whole suite runs on upserts (`upsert.conformance.test.ts`, which takes minutes): here are the laws, and how rows become records. */
const ROWS = ['changelogs', 'values'];
const LAWS = [
  'law 1: claim and barrier',
  'law 2: commit is a compare-and-set',
  'law 3: lost answers',
  'law 4: fenced means stop',
  'replay',
  'empty commits',
];

describeWith({ describe, beforeAll, afterAll }, 'kafka', missingForKafka(), startTestBroker, (getBroker) => {
  for (const mode of ['append', 'retract'] as const) {
    const groups = mode === 'append' ? [...LAWS, ...ROWS] : ROWS;
    conformance({
      describe: (name, body) => {
        if (name.startsWith('conformance') || groups.includes(name)) describe(name, body);
      },
      test,
      expect,
      name: `kafka, ${mode}`,
      create: () => kafkaDestination(getBroker(), mode),
    });
  }
});
