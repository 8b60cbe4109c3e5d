/** Every kind of request of a transaction, lost on its way there, or its answer on the way back: nothing is lost, nothing doubled. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { pipeline } from '@eos/core';
import { describeWith, missingForKafka } from '@eos/services';
import { withCrashPoints, type ArmedFault } from '@eos/testkit';
import { API, hasRequest, startTestBroker } from './broker.testing.js';
import { numbers, testTopics, upTo } from './numbered.testing.js';

const COUNT = 60;

/** Where the fault is armed: right before the call that sends the request, of the third transaction. */
const ARMED_AT = {
  initProducerId: 'recover:before#2',
  addPartitionsToTxn: 'write:before#3',
  produce: 'write:before#3',
  addOffsetsToTxn: 'commit:before#3',
  txnOffsetCommit: 'commit:before#3',
  endTxn: 'commit:before#3',
} as const satisfies Record<keyof typeof API, string>;

describeWith({ describe, beforeAll, afterAll }, 'kafka', missingForKafka(), startTestBroker, (getBroker) => {
  const requests = Object.keys(API) as (keyof typeof API)[];
  const cases = requests.flatMap((request) =>
    (['landed', 'not landed'] as const).map((fate) => [request, fate] as const),
  );

  test.each(cases)(
    '%s, %s',
    async (request, fate) => {
      const broker = getBroker();
      const topics = await testTopics(broker);
      try {
        let fault: ArmedFault | undefined;
        const arm = () => {
          const when = (chunk: Buffer) => hasRequest(chunk, API[request]);
          fault = broker.proxy.arm(
            fate === 'landed'
              ? { on: 'request', do: 'pass', when, next: { on: 'answer', do: 'cut' } }
              : { on: 'request', do: 'cut', when },
          );
        };
        const groupId = `${topics.input}-group`;
        const sink = topics.sink(
          { brokers: [...broker.faultyBrokers] },
          { reportOffsets: { groupId, intervalMs: 1 } },
        );
        const result = await pipeline({
          id: 'lost',
          source: numbers({ count: COUNT, partition: `${topics.input}/0` }),
          sinks: {
            out: withCrashPoints(sink, (point, count) => {
              if (`${point}#${count}` === ARMED_AT[request]) arm();
              // What makes the runner recover a second time, where that is what is to fail.
              if (request === 'initProducerId' && point === 'begin:before' && count === 3)
                broker.proxy.cutAll();
            }),
          },
          trigger: { rows: 10, intervalMs: 60_000 },
          retry: { attempts: 20, initialMs: 10, maxMs: 200 },
        }).run({ signals: [] });
        expect(fault?.hasStruck).toBe(true);
        expect({ reason: result.reason, rows: result.rows }).toEqual({ reason: 'end', rows: COUNT });
        expect(result.recoveries).toBeGreaterThan(0);
        expect(await topics.ids()).toEqual(upTo(COUNT));
      } finally {
        await topics.close();
      }
    },
    60_000,
  );
});
