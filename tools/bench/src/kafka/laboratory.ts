/** A broker of its own, and topics with records in them. */
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { startKafka, type KafkaServer } from '@eos/services';
import { Kafka, logLevel, type Admin } from 'kafkajs';
import type { Timing } from '../laboratory.js';
import { isWanted, type BenchOptions } from '../options.js';
import { elapsed, processorTime } from '../processor-time.js';
import { fillTopic } from './records.js';

export interface KafkaLaboratory {
  readonly options: BenchOptions;
  readonly server: KafkaServer;
  readonly brokers: readonly string[];
  readonly description: string;
  readonly wants: (name: string) => boolean;
  /** A name that no run had before. */
  freshName(prefix: string): string;
  createTopic(name: string, partitions: number): Promise<void>;
  deleteTopic(name: string): Promise<void>;
  /** A topic with that many records of 110 bytes, made once. */
  filled(records: number, partitions: number): Promise<string>;
  /** Waits until a topic holds so many records and control records. @throws where it does not */
  checkSize(topic: string, records: number): Promise<void>;
  timed(work: () => Promise<void>): Promise<Timing>;
  progress(text: string): void;
}

export async function withKafkaLaboratory(
  options: BenchOptions,
  progress: (text: string) => void,
  work: (laboratory: KafkaLaboratory) => Promise<void>,
): Promise<void> {
  const server = await startKafka();
  try {
    const admin = new Kafka({ brokers: [...server.brokers], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    try {
      await work(equip(server, admin, options, progress));
    } finally {
      await admin.disconnect();
    }
  } finally {
    await server.stop();
  }
}

function equip(
  server: KafkaServer,
  admin: Admin,
  options: BenchOptions,
  progress: (text: string) => void,
): KafkaLaboratory {
  const filled = new Map<string, Promise<string>>();
  let names = 0;
  const createTopic = async (topic: string, partitions: number) => {
    // KafkaJS waits for leaders, and fails where a broker does not know the topic yet.
    await admin.createTopics({ topics: [{ topic, numPartitions: partitions }], waitForLeaders: false });
    for (;;) {
      const known = await admin.fetchTopicMetadata({ topics: [topic] }).catch(() => undefined);
      if (known?.topics[0]?.partitions.length === partitions) return;
      await delay(5);
    }
  };
  return {
    options,
    server,
    brokers: server.brokers,
    description: `Apache Kafka ${server.version}, one broker; Node ${process.versions.node}; ${availableParallelism()} processors; ${options.rows} records of 110 bytes, medians of ${options.runs} runs`,
    wants: (name) => isWanted(options, name),
    progress,
    freshName: (prefix) => `${prefix}-${++names}`,
    createTopic,
    deleteTopic: async (topic) => {
      await admin.deleteTopics({ topics: [topic] });
    },
    filled(records, partitions) {
      const topic = `filled-${records}-${partitions}`;
      const making = filled.get(topic) ?? fill(topic, records, partitions);
      filled.set(topic, making);
      return making;
    },
    async checkSize(topic, records) {
      for (let tries = 0; ; tries++) {
        // KafkaJS leaves out partitions whose leaders it does not know yet.
        const ends = await admin.fetchTopicOffsets(topic);
        const found = ends.reduce((sum, { high }) => sum + Number(high), 0);
        if (found >= records) return;
        if (tries === 100) throw new Error(`topic ${topic} holds ${found} of ${records} records`);
        await delay(50);
      }
    },
    async timed(run) {
      const before = await processorTime(undefined);
      const start = performance.now();
      await run();
      const seconds = (performance.now() - start) / 1000;
      return { seconds, processor: elapsed(before, await processorTime(undefined)) };
    },
  };

  async function fill(topic: string, records: number, partitions: number): Promise<string> {
    progress(`filling a topic with ${records} records in ${partitions} partitions`);
    await createTopic(topic, partitions);
    await fillTopic({ brokers: server.brokers, topic, records });
    return topic;
  }
}
