/** What could lose a position stops, and says what to do. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { pipeline, type Position, type SinkConnector } from '@eos/core';
import { describeWith, missingForKafka } from '@eos/services';
import { startTestBroker, type TestBroker } from '../broker.testing.js';
import { alterTopicConfigApi, createPartitionsApi, deleteRecordsApi } from '../broker-requests.testing.js';
import { openClient } from '../client/connect.js';
import { bytesColumn } from '../client/records.js';
import {
  failureOf,
  numbers,
  testTopics,
  upTo,
  type NumberRow,
  type TestTopics,
} from '../numbered.testing.js';
import { LAYOUT_KEY, parsePositionValue, positionValue } from './position-record.js';

describeWith({ describe, beforeAll, afterAll }, 'kafka', missingForKafka(), startTestBroker, (getBroker) => {
  test('is made with settings that keep every position, and little else', async () => {
    await withTopics(getBroker(), async (topics) => {
      await run(topics.sink({}), 10);
      const config = await topics.client.admin.topicConfig(topics.positions);
      const found = Object.fromEntries(
        [
          'cleanup.policy',
          'unclean.leader.election.enable',
          'segment.bytes',
          'min.cleanable.dirty.ratio',
        ].map((name) => [name, config.get(name)]),
      );
      expect(found).toEqual({
        'cleanup.policy': 'compact',
        'unclean.leader.election.enable': 'false',
        'segment.bytes': '1048576',
        'min.cleanable.dirty.ratio': '0.01',
      });
      expect(await topics.ids()).toEqual(upTo(10));
    });
  });

  test('is not made where that is not wanted: the command is told, and works as it stands', async () => {
    await withTopics(getBroker(), async (topics) => {
      const positionsTopic = { name: topics.positions, partitions: 2, create: false };
      const failure = await failureOf(run(topics.sink({}, { positionsTopic }), 10));
      expect(failure).toMatchObject({
        code: 'EOS_CONFIG',
        retryable: false,
        details: { option: 'positionsTopic' },
      });
      const command = /--create --topic (\S+) --partitions (\d+)((?: --config \S+)+)/.exec(failure.message);
      const config = Object.fromEntries(
        [...(command?.[3] ?? '').matchAll(/--config ([^=]+)=(\S+)/g)].map(([, name, value]) => [
          String(name),
          String(value),
        ]),
      );
      await topics.client.admin.createTopic({
        name: command?.[1] ?? '',
        partitions: Number(command?.[2]),
        replicationFactor: 1,
        config,
      });
      await run(topics.sink({}, { positionsTopic }), 10);
      expect(await topics.ids()).toEqual(upTo(10));
    });
  });

  test.each([
    ['cleanup.policy', 'delete'],
    ['cleanup.policy', 'compact,delete'],
    ['unclean.leader.election.enable', 'true'],
  ])('with %s=%s it is refused', async (setting, value) => {
    await withTopics(getBroker(), async (topics) => {
      const config = { 'cleanup.policy': 'compact', [setting]: value };
      await topics.client.admin.createTopic({
        name: topics.positions,
        partitions: 2,
        replicationFactor: 1,
        config,
      });
      const failure = await failureOf(run(topics.sink({}), 10));
      expect(failure).toMatchObject({ code: 'EOS_CONFIG', details: { setting, found: value } });
      expect(failure.message).toContain(`--add-config ${setting}=`);
      expect(await topics.ids()).toEqual([]);
    });
  });

  test('gone, while the target has records: stops, until somebody says that they are not from here', async () => {
    await withTopics(getBroker(), async (topics) => {
      await run(topics.sink({}), 10);
      await topics.remove(topics.positions);
      const failure = await failureOf(run(topics.sink({}), 20));
      expect(failure).toMatchObject({ code: 'EOS_CONFIG', details: { option: 'ignoreExistingRecords' } });
      expect(await topics.ids()).toEqual(upTo(10));
      await run(topics.sink({}, { ignoreExistingRecords: true }), 5);
      expect(await topics.ids()).toEqual([...upTo(10), ...upTo(5)].sort((left, right) => left - right));
    });
  });

  test('with more partitions than it was set up with: stops', async () => {
    await withTopics(getBroker(), async (topics) => {
      await run(topics.sink({}), 10);
      await topics.client.cluster.request('any', createPartitionsApi, { topic: topics.positions, count: 9 });
      const failure = await failureOf(run(topics.sink({}), 20));
      expect(failure).toMatchObject({ code: 'EOS_TARGET_CHANGED', retryable: false, details: { found: 9 } });
      expect(await topics.ids()).toEqual(upTo(10));
    });
  });

  test('with records deleted: stops', async () => {
    await withTopics(getBroker(), async (topics) => {
      await run(topics.sink({}), 10);
      const { client, positions } = topics;
      // Kafka deletes none of a topic that is only compacted: somebody has tried out another setting.
      const alter = (value: string) =>
        client.cluster.request('any', alterTopicConfigApi, {
          topic: positions,
          name: 'cleanup.policy',
          value,
        });
      await alter('delete');
      for (const [partition, offset] of await client.admin.highWatermarks(positions)) {
        const node = await client.cluster.leader(positions, partition);
        await client.cluster.request({ node }, deleteRecordsApi, { topic: positions, partition, offset });
      }
      await alter('compact');
      const failure = await failureOf(run(topics.sink({}), 20));
      expect(failure).toMatchObject({ code: 'EOS_TARGET_CHANGED', retryable: false });
      expect(await topics.ids()).toEqual(upTo(10));
    });
  });

  test('with records of somebody else: refused before anything is written', async () => {
    await withTopics(getBroker(), async ({ client, positions, sink, ids }) => {
      await client.admin.createTopic({
        name: positions,
        partitions: 1,
        replicationFactor: 1,
        config: { 'cleanup.policy': 'compact' },
      });
      const other = await client.initProducer({
        transactionalId: 'other',
        transactionTimeoutMs: 10_000,
        timeoutMs: 10_000,
      });
      await other.send(positions, 0, { count: 1, keys: bytesColumn(['k']), values: bytesColumn(['v']) });
      await other.commit();
      const failure = await failureOf(run(sink({}), 10));
      expect(failure).toMatchObject({ code: 'EOS_CONFIG', details: { option: 'positionsTopic' } });
      expect(await ids()).toEqual([]);
    });
  });

  test('that several make at the same moment is there for each of them', async () => {
    await withTopics(getBroker(), async (topics) => {
      const { client, positions } = topics;
      const { brokers } = getBroker();
      const clients = await Promise.all(upTo(8).map(() => openClient({ brokers: [...brokers] })));
      try {
        for (let round = 0; round < 8; round++) {
          const topic = { name: positions, partitions: 2, replicationFactor: 1, config: {} };
          const found = await Promise.all(
            clients.map(async ({ admin }) => {
              await admin.createTopic(topic);
              return (await admin.topics([positions])).get(positions)?.partitions;
            }),
          );
          expect(found).toEqual(clients.map(() => 2));
          await topics.remove(positions);
          while ((await client.admin.topics([positions])).size > 0) await delay(5);
        }
      } finally {
        await Promise.all(clients.map((one) => one.close()));
      }
    });
  });

  test('two processes that begin on nothing at all set it up once', async () => {
    await withTopics(getBroker(), async (topics) => {
      const sinks = upTo(6).map((index) => `sink-${index}`);
      await Promise.all(
        sinks.map(async (name) => {
          const sink = await topics
            .sink({}, { ignoreExistingRecords: true })
            .open({ pipeline: 'p', sink: name });
          await sink.recover(['0']);
          await sink.close();
        }),
      );
      for (const name of sinks) {
        const sink = await topics.sink({}).open({ pipeline: 'p', sink: name });
        expect([...(await sink.positions()).keys()]).toEqual(['0']);
        await sink.close();
      }
    });
  });
});

describe('a position as a record', () => {
  const position: Position = {
    epoch: 3n,
    offset: 2n ** 63n - 1n,
    txId: 77n,
    owner: 5n,
    source: { kind: 'test', list: [1, { a: 'ä' }] },
    target: '{"t":"id"}',
  };

  test('is read as it was written', () => {
    for (const committedAt of [undefined, 1_700_000_000_000])
      expect(parsePositionValue(positionValue({ position, committedAt }), 'k')).toEqual({
        position,
        committedAt,
      });
  });

  test.each([
    '',
    'null',
    '{}',
    '{"format":2,"position":{}}',
    '{"format":1}',
    '{"format":1,"position":{"epoch":"1"}}',
  ])('%j is refused', (text) => {
    expect(() => parsePositionValue(text, 'p/s/0')).toThrow(expect.objectContaining({ code: 'EOS_FORMAT' }));
  });

  test('no position has the key of the layout', () => {
    expect(LAYOUT_KEY.split('/')).toHaveLength(2);
  });
});

async function withTopics(broker: TestBroker, body: (topics: TestTopics) => Promise<void>): Promise<void> {
  const topics = await testTopics(broker);
  try {
    await body(topics);
  } finally {
    await topics.close();
  }
}

async function run(sink: SinkConnector<NumberRow>, count: number): Promise<void> {
  await pipeline({
    id: 'p',
    source: numbers({ count }),
    sinks: { s: sink },
    retry: { attempts: 3, initialMs: 1, maxMs: 1 },
  }).run({ signals: [] });
}
