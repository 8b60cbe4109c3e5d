import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { memorySink, memoryStore, pipeline, rowSchema, t, type MemoryStore, type RunResult } from '@eos/core';
import { describeWith, missingForKafka } from '@eos/services';
import { logLevel } from 'kafkajs';
import { startTestBroker } from '../broker.testing.js';
import { json } from '../encoding/index.js';
import { kafkaSink } from '../sink/kafka-sink.js';
import { kafkaSource } from './kafka-source.js';
import type { KafkaSourceOptions } from './source-options.js';
import { messagesOf, openLaboratory, type Laboratory } from './source.testing.js';

interface Row {
  readonly id: number;
}

const format = json({ schema: rowSchema({ id: t.int32() }) });
const CI_SETTINGS = { 'group.min.session.timeout.ms': 500 };

describeWith(
  { describe, beforeAll, afterAll },
  'kafka',
  missingForKafka(),
  () => startTestBroker({ settings: CI_SETTINGS }),
  (getBroker) => {
    let laboratory: Laboratory;
    beforeAll(async () => {
      laboratory = await openLaboratory(getBroker().brokers);
    });
    afterAll(() => laboratory.close());

    /** One process of a pipeline, as far as the group and the destination can tell. */
    const member = (
      topic: string,
      store: MemoryStore<Row>,
      options: Partial<KafkaSourceOptions<Row>> = {},
      onTransform?: () => Promise<void>,
    ) => {
      const source = kafkaSource({
        connection: { brokers: [...laboratory.brokers], logLevel: logLevel.NOTHING },
        topic,
        format,
        sessionTimeoutMs: 3_000,
        heartbeatIntervalMs: 50,
        metadataIntervalMs: 100,
        maxWaitMs: 50,
        ...options,
      });
      const stop = new AbortController();
      const partitions = new Set<string>();
      const run: Promise<RunResult> = pipeline<Row, Row>({
        id: topic,
        source,
        transform: async (batch) => {
          partitions.add(batch.partition);
          await onTransform?.();
          return batch.rows;
        },
        sinks: { memory: memorySink(store) },
        trigger: { rows: 50, intervalMs: 20 },
        retry: { initialMs: 10, maxMs: 200 },
      }).run({ signal: stop.signal, signals: [] });
      run.catch(() => undefined);
      return {
        partitions,
        run,
        end: async () => {
          stop.abort();
          return await run;
        },
      };
    };
    const until = async (what: () => boolean) => {
      for (let waited = 0; !what(); waited += 20) {
        if (waited > 60_000) throw new Error('it does not come about');
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    const sorted = (store: MemoryStore<Row>) =>
      store
        .rows()
        .map(({ id }) => id)
        .sort((left, right) => left - right);
    const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

    test('members share the partitions, whoever comes and goes, and every record is there once', async () => {
      const topic = await laboratory.topic(4);
      const store = memoryStore<Row>();
      await laboratory.send(topic, messagesOf(0, 200));
      const first = member(topic, store);
      await until(() => store.rows().length === 200);
      const second = member(topic, store);
      const third = member(topic, store);
      let sent = 200;
      const feed = async () => {
        await laboratory.send(topic, messagesOf(sent, sent + 50));
        sent += 50;
      };
      for (
        let round = 0;
        round < 100 && (second.partitions.size === 0 || third.partitions.size === 0);
        round++
      ) {
        await feed();
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      expect([second.partitions.size, third.partitions.size].every((size) => size > 0)).toBe(true);
      expect(await first.end()).toMatchObject({ reason: 'stopped' });
      await feed();
      await until(() => store.rows().length >= sent);
      expect(await second.end()).toMatchObject({ reason: 'stopped' });
      await feed();
      await until(() => store.rows().length >= sent);
      await third.end();
      expect(sorted(store)).toEqual(upTo(sent));
    });

    test('partitions that are added are read from their first record, with from: latest too', async () => {
      const topic = await laboratory.topic(1);
      const store = memoryStore<Row>();
      await laboratory.send(topic, messagesOf(1_000, 1_010));
      const only = member(topic, store, { from: 'latest' });
      // The place where it begins is committed before the first record comes.
      const start = async () =>
        (await store.positions({ pipeline: topic, sink: 'memory' })).get(`${topic}/0`)?.offset;
      while ((await start()) !== 10n) await new Promise((resolve) => setTimeout(resolve, 20));
      await laboratory.admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] });
      // A producer that knew the topic before drops what is for partitions that it does not know.
      const fresh = laboratory.kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
      await fresh.connect();
      const messages = [0, 1, 2].flatMap((partition) =>
        messagesOf(partition * 10, partition * 10 + 10, partition),
      );
      await fresh.send({ topic, messages });
      await fresh.disconnect();
      await until(() => store.rows().length >= 30);
      await only.end();
      expect(sorted(store)).toEqual(upTo(30));
    });

    test('a transaction that is open when the group shares out anew is taken back, and its rows are read again', async () => {
      const topic = await laboratory.topic(2);
      const store = memoryStore<Row>();
      await laboratory.send(topic, messagesOf(0, 40));
      let hold: (() => void) | undefined;
      const isHeld = new Promise<void>((resolve) => {
        hold = resolve;
      });
      let held = 0;
      const first = member(topic, store, {}, () => (held++ === 0 ? isHeld : Promise.resolve()));
      await until(() => held > 0);
      const second = member(topic, store);
      // It waits for the first to let go, which the first does when its transform returns.
      await new Promise((resolve) => setTimeout(resolve, 300));
      hold?.();
      await until(() => store.rows().length >= 40);
      await first.end();
      await second.end();
      expect(sorted(store)).toEqual(upTo(40));
    });

    test('a member that was taken for dead, and goes on, changes nothing, and comes back', async () => {
      const topic = await laboratory.topic(2);
      const store = memoryStore<Row>();
      await laboratory.send(topic, messagesOf(0, 40));
      const slow = member(topic, store, { heartbeatIntervalMs: 2_900, sessionTimeoutMs: 1_000 });
      const other = member(topic, store);
      for (let from = 40; from < 240; from += 20) {
        await laboratory.send(topic, messagesOf(from, from + 20));
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
      await until(() => store.rows().length >= 240);
      await slow.end();
      await other.end();
      expect(sorted(store)).toEqual(upTo(240));
    });

    test('the usual tools show how far it is, by the offsets of its own group, where the sink reports them', async () => {
      const [topic, copy] = [await laboratory.topic(2), await laboratory.topic(2)];
      await laboratory.send(topic, messagesOf(0, 40));
      const connection = { brokers: [...laboratory.brokers], logLevel: logLevel.NOTHING };
      const sink = kafkaSink<Row>({
        connection,
        topic: copy,
        format,
        positionsTopic: `${copy}-positions`,
        reportOffsets: { groupId: topic, intervalMs: 1 },
      });
      const source = kafkaSource({ connection, topic, format, maxWaitMs: 50 });
      const stop = new AbortController();
      const run = pipeline({
        id: topic,
        source,
        sinks: { copy: sink },
        trigger: { rows: 7, intervalMs: 20 },
      });
      const running = run.run({ signal: stop.signal, signals: [] });
      const behind = async (): Promise<bigint[]> => {
        const [group] = await laboratory.admin.fetchOffsets({ groupId: topic, topics: [topic] });
        const ends = await laboratory.admin.fetchTopicOffsets(topic);
        return ends.map(({ partition, high }) => {
          const found = group?.partitions.find((one) => one.partition === partition);
          return BigInt(high) - BigInt(found?.offset ?? -1);
        });
      };
      for (let tries = 0; tries < 500 && (await behind()).some((count) => count !== 0n); tries++)
        await new Promise((resolve) => setTimeout(resolve, 20));
      expect(await behind()).toEqual([0n, 0n]);
      stop.abort();
      expect(await running).toMatchObject({ reason: 'stopped', rows: 40 });
    });

    test('more members than partitions wait for their turn', async () => {
      const topic = await laboratory.topic(1);
      const store = memoryStore<Row>();
      const members = [member(topic, store), member(topic, store)];
      await laboratory.send(topic, messagesOf(0, 10));
      await until(() => store.rows().length === 10);
      const worker = members.find(({ partitions }) => partitions.size > 0);
      const waiting = members.find((one) => one !== worker);
      await worker?.end();
      await laboratory.send(topic, messagesOf(10, 20));
      await until(() => store.rows().length === 20);
      await waiting?.end();
      expect(sorted(store)).toEqual(upTo(20));
    });
  },
);
