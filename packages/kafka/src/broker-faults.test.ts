/** A broker that ends, or ends transactions, and topics that do not take what they get. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { pipeline, type RunResult, type SinkConnector, type Source } from '@eos/core';
import { describeWith, missingForKafka } from '@eos/services';
import { withCrashPoints, type CrashPoint } from '@eos/testkit';
import { startTestBroker } from './broker.testing.js';
import { Cluster } from './client/cluster.js';
import type { BrokerLink } from './client/driver.js';
import { kafkaJsDriver } from './client/kafkajs/kafkajs-driver.js';
import { initProducer } from './client/producer.js';
import { committedBatches } from './committed-records.testing.js';
import { failureOf, numbers, testTopics, upTo, type NumberRow, type TestTopics } from './numbered.testing.js';

describeWith({ describe, beforeAll, afterAll }, 'kafka', missingForKafka(), startTestBroker, (getBroker) => {
  async function withTopics(
    body: (topics: TestTopics) => Promise<void>,
    config: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const topics = await testTopics(getBroker(), config);
    try {
      await body(topics);
    } finally {
      await topics.close();
    }
  }

  test.each(['write:after', 'prepare:after', 'commit:during'] as const)(
    'killed at %s of a transaction, and started again: nothing is lost, nothing doubled',
    async (place) => {
      await withTopics(async (topics) => {
        const broker = getBroker();
        let restarted: Promise<void> | undefined;
        const killing = withCrashPoints(topics.sink({}), async (point: CrashPoint, count) => {
          if (point !== place || count !== 3 || restarted !== undefined) return;
          restarted = broker.kill().then(() => broker.start());
          if (place !== 'commit:during') await broker.kill();
        });
        const { rows, recoveries } = await run(killing, numbers({ count: 80 }));
        await restarted;
        expect(await topics.ids()).toEqual(upTo(80));
        expect(rows).toBe(80);
        if (place !== 'commit:during') expect(recoveries).toBeGreaterThan(0);
      });
    },
    120_000,
  );

  test('who leads and who coordinates is asked anew once a broker has not answered', async () => {
    const driver = kafkaJsDriver({ brokers: [...getBroker().brokers] });
    const sent: string[] = [];
    let isGone = false;
    const watched = (link: BrokerLink): BrokerLink => ({
      ...link,
      send: async (request) => {
        sent.push(request.name);
        if (isGone && request.name === 'InitProducerId') throw new Error('the broker is gone');
        return await link.send(request);
      },
    });
    const cluster = new Cluster(
      {
        name: driver.name,
        connect: async (address) => watched(await driver.connect(address)),
        connectAny: async () => watched(await driver.connectAny()),
      },
      10_000,
    );
    const init = () =>
      initProducer(
        cluster,
        { transactionalId: 'moved', transactionTimeoutMs: 9_000, timeoutMs: 9_000 },
        'main',
      );
    try {
      await init();
      isGone = true;
      await expect(init()).rejects.toMatchObject({ kind: 'unavailable' });
      isGone = false;
      sent.length = 0;
      await init();
      expect(sent).toEqual(expect.arrayContaining(['FindCoordinator', 'Metadata', 'InitProducerId']));
    } finally {
      cluster.close();
    }
  });

  test('a transaction that the broker aborts for its length is written again', async () => {
    await withTopics(async (topics) => {
      const sink = withCrashPoints(topics.sink({}, { transactionTimeoutMs: 500 }), async (point, count) => {
        if (point === 'commit:before' && count === 2) await untilNoneIsOpen(topics, 'p/s/0');
      });
      const { recoveries } = await run(sink, numbers({ count: 40 }));
      expect(recoveries).toBe(1);
      expect(await topics.ids()).toEqual(upTo(40));
    });
  }, 60_000);

  test('a timeout that the broker does not allow is named', async () => {
    await withTopics(async (topics) => {
      const failure = await failureOf(
        run(topics.sink({}, { transactionTimeoutMs: 2_000_000 }), numbers({ count: 1 })),
      );
      expect(failure).toMatchObject({ code: 'EOS_CONFIG', retryable: false });
      expect(failure.message).toContain('transaction.max.timeout.ms');
    });
  });

  test('batches are split for a topic that takes less', async () => {
    await withTopics(
      async (topics) => {
        await run(topics.sink({}), numbers({ count: 3_000, batchRows: 1_000, textBytes: 100 }), 3_000);
        expect(await topics.ids()).toEqual(upTo(3_000));
      },
      { 'max.message.bytes': '20000' },
    );
  });

  test('compressed batches are smaller in the log, and their records the same', async () => {
    await withTopics(async (topics) => {
      const source = numbers({ count: 2_000, batchRows: 1_000, textBytes: 100 });
      await run(topics.sink({}, { compression: 'gzip' }), source, 1_000);
      expect(await topics.ids()).toEqual(upTo(2_000));
      const batches = [...(await committedBatches(topics.client, topics.output)).values()].flat();
      expect(batches.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(2_000 * 30);
    });
  });

  test('a row that is larger than the topic takes is named by its place', async () => {
    await withTopics(
      async (topics) => {
        const failure = await failureOf(run(topics.sink({}), numbers({ count: 10, textBytes: 30_000 })));
        expect(failure).toMatchObject({
          code: 'EOS_ROW',
          retryable: false,
          details: { partition: '0', offset: 0n },
        });
        expect(failure.message).toMatch(/30\d\d\d bytes.*takes 20000 \(max\.message\.bytes\)/);
        expect(await topics.ids()).toEqual([]);
      },
      { 'max.message.bytes': '20000' },
    );
  });

  test('a topic that is not there is named, with the command that makes it', async () => {
    await withTopics(async (topics) => {
      const failure = await failureOf(run(topics.sink({}, { topic: 'nowhere' }), numbers({ count: 1 })));
      expect(failure).toMatchObject({ code: 'EOS_SCHEMA', retryable: false, details: { topic: 'nowhere' } });
      expect(failure.message).toContain('kafka-topics.sh');
    });
  });

  test('a topic that is deleted while it is written to stops the pipeline', async () => {
    await withTopics(async (topics) => {
      const source = numbers({
        count: 1_000,
        onRead: async (first) => {
          if (first === 30) await topics.remove(topics.output);
        },
      });
      const failure = await failureOf(run(topics.sink({}), source));
      expect(failure).toMatchObject({
        code: 'EOS_SCHEMA',
        retryable: false,
        details: { topic: topics.output },
      });
    });
  }, 30_000);

  test('topics are made where that is asked for', async () => {
    await withTopics(async (topics) => {
      await topics.remove(topics.output);
      const create = { partitions: 4, replicationFactor: 1, config: { 'cleanup.policy': 'compact' } };
      await run(topics.sink({}, { create }), numbers({ count: 20 }));
      expect(await topics.ids()).toEqual(upTo(20));
      const config = await topics.client.admin.topicConfig(topics.output);
      expect([
        config.get('cleanup.policy'),
        (await topics.client.admin.topics([topics.output])).get(topics.output)?.partitions,
      ]).toEqual(['compact', 4]);
    });
  });

  test('rows go to several topics in one transaction, and one that is none of them stops', async () => {
    await withTopics(async (topics) => {
      const { input, output, client } = topics;
      const routed = (by: (row: NumberRow) => string) => {
        return topics.routedSink({ by, topics: [output, input] });
      };
      await run(
        routed(({ id }) => (id % 3 === 0 ? input : output)),
        numbers({ count: 60 }),
      );
      expect(await topics.ids()).toEqual(upTo(60).filter((id) => id % 3 !== 0));
      const ends = await client.admin.highWatermarks(input);
      expect([...ends.values()].reduce((sum, end) => sum + end, 0n)).toBeGreaterThanOrEqual(20n);
      const failure = await failureOf(
        run(
          routed(() => 'elsewhere'),
          numbers({ count: 70 }),
        ),
      );
      expect(failure).toMatchObject({ code: 'EOS_ROW', details: { partition: '0', offset: 60n } });
    });
  });
});

async function run(
  sink: SinkConnector<NumberRow>,
  source: Source<NumberRow>,
  rowsPerCommit = 10,
): Promise<RunResult> {
  return await pipeline({
    id: 'p',
    source,
    sinks: { s: sink },
    trigger: { rows: rowsPerCommit, intervalMs: 60_000 },
    retry: { attempts: 60, initialMs: 20, maxMs: 500 },
  }).run({ signals: [] });
}

/** Waits until the broker has ended the transaction by itself. */
async function untilNoneIsOpen({ client }: TestTopics, transactionalId: string): Promise<void> {
  for (;;) {
    const found = (await client.admin.transactions([transactionalId])).get(transactionalId);
    if (found?.state === 'CompleteAbort') return;
    await delay(50);
  }
}
