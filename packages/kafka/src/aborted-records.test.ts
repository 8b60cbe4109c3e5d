/** Records of aborted transactions: two ways in which KafkaJS hands them out as committed, and that nothing here does. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { memorySink, memoryStore, pipeline } from '@eos/core';
import { describeWith, missingForKafka } from '@eos/services';
import { Kafka, logLevel } from 'kafkajs';
import { startTestBroker } from './broker.testing.js';
import type { TransactionalProducer } from './client/client.js';
import { bytesAt, bytesColumn } from './client/records.js';
import { committedBatches } from './committed-records.testing.js';
import { bytes, kafkaSource, type RecordOutput } from './index.js';
import { testTopics, type TestTopics } from './numbered.testing.js';

/** The last record of each topic: behind it there is nothing to wait for. */
const END = 'end';

describeWith({ describe, beforeAll, afterAll }, 'kafka', missingForKafka(), startTestBroker, (getBroker) => {
  test('of two that overlap, the one that began first and ended last', async () => {
    await expectLeaks(['early 1', 'early 2'], async (topics, send) => {
      const [early, late] = [await producerOf(topics, 'early'), await producerOf(topics, 'late')];
      await send(early, 'early 1', 'early 2');
      await send(late, 'late 1');
      await late.abort();
      // Acknowledged before it is written to the partition, and the broker lists what was aborted in the order of that.
      await untilWritten(topics, late.transactionalId);
      await early.abort();
    });
  });

  test('behind a record whose key is four zero bytes', async () => {
    await expectLeaks(['zero', 'behind 1', 'behind 2'], async (topics, send) => {
      const producer = await producerOf(topics, 'one');
      await send(producer, 'before');
      await producer.send(topics.output, 0, {
        count: 1,
        keys: bytesColumn([Buffer.alloc(4)]),
        values: bytesColumn(['zero']),
      });
      await send(producer, 'behind 1', 'behind 2');
      await producer.abort();
    });
  });

  type Send = (producer: TransactionalProducer, ...values: string[]) => Promise<void>;

  async function expectLeaks(
    leaked: readonly string[],
    abortSome: (topics: TestTopics, send: Send) => Promise<void>,
  ): Promise<void> {
    const topics = await testTopics(getBroker());
    const send: Send = async (producer, ...values) => {
      await producer.send(topics.output, 0, { count: values.length, values: bytesColumn(values) });
      await producer.flush();
    };
    try {
      await abortSome(topics, send);
      const last = await producerOf(topics, 'last');
      await send(last, END);
      await last.commit();
      expect(await readByKafkaJs(topics)).toEqual([...leaked, END]);
      expect(await readHere(topics)).toEqual([END]);
      expect(await readBySource(topics)).toEqual([END]);
    } finally {
      await topics.close();
    }
  }

  async function producerOf({ client, output }: TestTopics, name: string): Promise<TransactionalProducer> {
    const options = { transactionTimeoutMs: 30_000, timeoutMs: 10_000 };
    return await client.initProducer({ transactionalId: `${output}-${name}`, ...options });
  }

  async function untilWritten({ client }: TestTopics, transactionalId: string): Promise<void> {
    for (;;) {
      const found = (await client.admin.transactions([transactionalId])).get(transactionalId);
      if (found?.state === 'CompleteAbort') return;
    }
  }

  /** With `read_committed`, its default. */
  async function readByKafkaJs({ output }: TestTopics): Promise<string[]> {
    const kafka = new Kafka({ brokers: [...getBroker().brokers], logLevel: logLevel.NOTHING });
    const consumer = kafka.consumer({ groupId: `${output}-group`, maxWaitTimeInMs: 50 });
    const values: string[] = [];
    await consumer.connect();
    await consumer.subscribe({ topic: output, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      const eachMessage = async ({ message }: { readonly message: { readonly value: Buffer | null } }) => {
        const value = String(message.value);
        values.push(value);
        if (value === END) resolve();
      };
      consumer.run({ eachMessage }).catch(reject);
    });
    await consumer.disconnect();
    return values;
  }

  async function readHere({ client, output }: TestTopics): Promise<string[]> {
    const batches = [...(await committedBatches(client, output)).values()].flat();
    return batches.flatMap(({ records }) =>
      Array.from({ length: records.count }, (_, index) => String(bytesAt(records.values, index))),
    );
  }

  async function readBySource({ output }: TestTopics): Promise<string[]> {
    const store = memoryStore<RecordOutput>();
    const connection = { brokers: [...getBroker().brokers] };
    await pipeline({
      id: 'p',
      source: kafkaSource({ connection, topic: output, format: bytes(), until: 'end', groupId: false }),
      sinks: { s: memorySink(store) },
    }).run({ signals: [] });
    return store.rows().map(({ value }) => String(value));
  }
});
