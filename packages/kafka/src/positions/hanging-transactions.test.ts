/**
 * What a broker leaves that was killed after it had decided a transaction, and calls it complete when it is back without having written all
 * of its markers (seen with 4.3.1). Made here by hand: a record of the transaction that its coordinator was never told of.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { pipeline, type Position } from '@eos/core';
import { describeWith, missingForKafka } from '@eos/services';
import { startTestBroker } from '../broker.testing.js';
import type { TransactionalProducer } from '../client/client.js';
import { ProduceQueue } from '../client/produce-queue.js';
import { bytesColumn } from '../client/records.js';
import { failureOf, numbers, testTopics, upTo, type TestTopics } from '../numbered.testing.js';
import { positionKey, positionValue } from './position-record.js';
import { PositionsTopic } from './positions-topic.js';

const CONTEXT = { pipeline: 'p', sink: 's' };
const KEY = positionKey(CONTEXT, '0');
const start = () => startTestBroker({ settings: { 'transaction.partition.verification.enable': 'false' } });

describeWith({ describe, beforeAll, afterAll }, 'kafka', missingForKafka(), start, (getBroker) => {
  async function withTopics(body: (topics: TestTopics) => Promise<void>): Promise<void> {
    const topics = await testTopics(getBroker());
    try {
      await body(topics);
    } finally {
      await topics.close();
    }
  }

  test('a commit that is complete and has no marker counts: its rows are not written again', async () => {
    await withTopics(async (topics) => {
      await run(topics, 20);
      const producer = await producerOf(topics);
      await hangMarker(topics, producer, { epoch: 3n, offset: 30n });
      await writeRows(topics, producer, 20, 30);
      await producer.commit();
      expect((await positionsTopic(topics).read(CONTEXT)).get('0')?.position.offset).toBe(30n);
      await run(topics, 40);
      expect(await topics.ids()).toEqual(upTo(40));
      expect((await positionsTopic(topics).read(CONTEXT)).get('0')?.position.offset).toBe(40n);
    });
  }, 60_000);

  test('an abort that is complete and has no marker does not: its rows are written', async () => {
    await withTopics(async (topics) => {
      await run(topics, 20);
      const producer = await producerOf(topics);
      await hangMarker(topics, producer, { epoch: 3n, offset: 30n });
      await writeRows(topics, producer, 20, 30);
      await producer.flush();
      await producer.abort();
      await run(topics, 40);
      expect(await topics.ids()).toEqual(upTo(40));
    });
  }, 60_000);

  test('where nobody knows any more how it ended, a claim ends without a guess', async () => {
    await withTopics(async (topics) => {
      await run(topics, 20);
      await hangMarker(topics, await producerOf(topics), { epoch: 3n, offset: 30n });
      // Its coordinator knows of no transaction, as behind a claim that came between.
      const failure = await failureOf(run(topics, 40));
      expect(failure).toMatchObject({ code: 'EOS_UNAVAILABLE', retryable: true });
      expect(await topics.ids()).toEqual(upTo(20));
    });
  }, 120_000);
});

async function run(topics: TestTopics, count: number): Promise<void> {
  await pipeline({
    id: CONTEXT.pipeline,
    source: numbers({ count }),
    sinks: { [CONTEXT.sink]: topics.sink({}) },
    retry: { attempts: 1, initialMs: 1, maxMs: 1 },
  }).run({ signals: [] });
}

function positionsTopic({ client, positions }: TestTopics): PositionsTopic {
  return new PositionsTopic(client, positions, 2);
}

async function producerOf({ client }: TestTopics): Promise<TransactionalProducer> {
  return await client.initProducer({
    transactionalId: KEY,
    transactionTimeoutMs: 30_000,
    timeoutMs: 30_000,
    compression: undefined,
  });
}

async function writeRows(
  { output }: TestTopics,
  producer: TransactionalProducer,
  from: number,
  to: number,
): Promise<void> {
  const ids = upTo(to).slice(from);
  const texts = ids.map((id) => JSON.stringify({ id, text: 'by hand' }));
  await producer.send(output, 0, {
    count: ids.length,
    keys: bytesColumn(ids.map((id) => JSON.stringify({ id }))),
    values: bytesColumn(texts),
  });
}

async function hangMarker(
  topics: TestTopics,
  { transactionalId, producerId, epoch }: TransactionalProducer,
  moved: Pick<Position, 'epoch' | 'offset'>,
): Promise<void> {
  const topic = positionsTopic(topics);
  const stored = (await topic.read(CONTEXT)).get('0');
  if (stored === undefined) throw new Error('no position was committed');
  const queue = new ProduceQueue({
    cluster: topics.client.cluster,
    identity: { transactionalId, producerId, epoch },
    lane: 'by hand',
    timeoutMs: 30_000,
    compression: undefined,
    addPartitions: async () => undefined,
  });
  const value = positionValue({ ...stored, position: { ...stored.position, ...moved, txId: 7n } });
  const record = { count: 1, keys: bytesColumn([KEY]), values: bytesColumn([value]) };
  await queue.append(topics.positions, topic.partitionOf(KEY), record);
  await queue.flush();
}
