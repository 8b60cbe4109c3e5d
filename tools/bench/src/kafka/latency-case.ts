/**
 * From a record's being written to its being seen behind the copy: how much later by transactions of a given interval than by a loop that
 * sends each batch at once, at least once.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { pipeline } from '@eos/core';
import { bytes, kafkaSink, kafkaSource } from '@eos/kafka';
import { Kafka, logLevel, type EachBatchPayload } from 'kafkajs';
import type { BenchCase } from '../cases/case.js';
import { measurement, type Measurement } from '../measurement.js';
import { percentile } from '../statistics.js';
import type { KafkaLaboratory } from './laboratory.js';

const RECORDS_PER_TICK = 20;
const TICK_MS = 10;
const SECONDS = 10;
/** What comes first is left out: groups join, code is compiled. */
const WARM_UP_MS = 3_000;

export function latencyCase(intervalMs: number): BenchCase<KafkaLaboratory> {
  const name = `kafka/latency/interval=${intervalMs}ms`;
  return {
    names: [`${name}/p50`, `${name}/p99`],
    async measure(laboratory) {
      const ours = await measureCopy(laboratory, (topics) => runEos(laboratory, topics, intervalMs));
      const plain = await measureCopy(laboratory, (topics) => runPlain(laboratory, topics));
      return (['p50', 'p99'] as const).map((rank): Measurement => {
        const share = rank === 'p50' ? 0.5 : 0.99;
        const [mine, theirs] = [percentile(ours, share), percentile(plain, share)];
        return measurement({
          name: `${name}/${rank}`,
          ours: mine,
          baseline: theirs,
          unit: 'ms',
          runs: 1,
          details: {
            added: mine - theirs,
            'records a second': (RECORDS_PER_TICK * 1_000) / TICK_MS,
            records: ours.length,
          },
        });
      });
    },
  };
}

interface Topics {
  readonly from: string;
  readonly to: string;
}

/** Ends with what copies. */
type Running = { stop(): Promise<void> };

/** Milliseconds of every record. */
async function measureCopy(
  laboratory: KafkaLaboratory,
  start: (topics: Topics) => Promise<Running>,
): Promise<number[]> {
  const topics = { from: laboratory.freshName('latency-in'), to: laboratory.freshName('latency-out') };
  for (const topic of Object.values(topics)) await laboratory.createTopic(topic, 1);
  const copying = await start(topics);
  const reader = await readTimes(laboratory, topics.to);
  await writeTimes(laboratory, topics.from);
  await delay(2_000);
  await copying.stop();
  await reader.stop();
  return reader.times;
}

async function writeTimes({ brokers, options }: KafkaLaboratory, topic: string): Promise<void> {
  const producer = clientOf(brokers).producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  const end = Date.now() + WARM_UP_MS + (options.quick ? 1 : SECONDS) * 1_000;
  const begin = Date.now() + WARM_UP_MS;
  while (Date.now() < end) {
    const now = Date.now();
    const value = now < begin ? 'warm up' : String(now);
    await producer.send({ topic, messages: Array.from({ length: RECORDS_PER_TICK }, () => ({ value })) });
    await delay(Math.max(0, TICK_MS - (Date.now() - now)));
  }
  await producer.disconnect();
}

async function readTimes(
  { brokers }: KafkaLaboratory,
  topic: string,
): Promise<Running & { readonly times: number[] }> {
  const consumer = clientOf(brokers).consumer({ groupId: `${topic}-reader`, maxWaitTimeInMs: 20 });
  const times: number[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachBatch: async ({ batch }: EachBatchPayload) => {
      const now = Date.now();
      for (const { value } of batch.messages) {
        const written = Number(value?.toString());
        if (written > 0) times.push(now - written);
      }
    },
  });
  return { times, stop: () => consumer.disconnect() };
}

async function runEos(
  { brokers }: KafkaLaboratory,
  { from, to }: Topics,
  intervalMs: number,
): Promise<Running> {
  const connection = { brokers: [...brokers] };
  const stopping = new AbortController();
  const running = pipeline({
    id: to,
    source: kafkaSource({ connection, topic: from, format: bytes(), maxWaitMs: 20 }),
    sinks: { copy: kafkaSink({ connection, topic: to, format: bytes() }) },
    trigger: { rows: Infinity, bytes: Infinity, intervalMs },
  }).run({ signal: stopping.signal, signals: [] });
  running.catch(() => undefined);
  return {
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

async function runPlain({ brokers }: KafkaLaboratory, { from, to }: Topics): Promise<Running> {
  const kafka = clientOf(brokers);
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  const consumer = kafka.consumer({ groupId: `${to}-copy`, maxWaitTimeInMs: 20 });
  await producer.connect();
  await consumer.connect();
  await consumer.subscribe({ topic: from, fromBeginning: true });
  await consumer.run({
    eachBatch: async ({ batch }: EachBatchPayload) => {
      await producer.send({ topic: to, messages: batch.messages.map(({ key, value }) => ({ key, value })) });
    },
  });
  return {
    stop: async () => {
      await consumer.disconnect();
      await producer.disconnect();
    },
  };
}

function clientOf(brokers: readonly string[]): Kafka {
  return new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
}
