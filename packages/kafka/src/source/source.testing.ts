/** Topics to read, and what a source makes of them. */
import { randomBytes } from 'node:crypto';
import type { Position, Positions, Source, SourceBatch } from '@eos/core';
import { Kafka, logLevel, type Admin, type Message, type Producer } from 'kafkajs';

export interface Laboratory {
  readonly brokers: readonly string[];
  readonly kafka: Kafka;
  readonly admin: Admin;
  readonly producer: Producer;
  /** Makes a topic with a new name. */
  topic(partitions?: number, config?: Readonly<Record<string, string>>): Promise<string>;
  /** One transaction per call, open until the function that is returned is called. */
  transaction(
    topic: string,
    messages: readonly Message[],
    partition?: number,
  ): Promise<(how: 'commit' | 'abort') => Promise<void>>;
  send(topic: string, messages: readonly Message[]): Promise<void>;
  close(): Promise<void>;
}

/** KafkaJS waits 300 ms before each of many retries unless told otherwise. */
const RETRY = { initialRetryTime: 20, factor: 0.2, multiplier: 1.3, retries: 100 };

export async function openLaboratory(brokers: readonly string[]): Promise<Laboratory> {
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING, retry: RETRY });
  const admin = kafka.admin();
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await admin.connect();
  await producer.connect();
  const transactional: Producer[] = [];
  return {
    brokers,
    kafka,
    admin,
    producer,
    async topic(partitions = 1, config = {}) {
      const topic = `read-${randomBytes(6).toString('hex')}`;
      const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
      await admin.createTopics({
        topics: [{ topic, numPartitions: partitions, configEntries }],
        waitForLeaders: true,
      });
      return topic;
    },
    async transaction(topic, messages, partition = 0) {
      const transactionalId = `writer-${randomBytes(6).toString('hex')}`;
      const writer = kafka.producer({ transactionalId, maxInFlightRequests: 1, idempotent: true });
      transactional.push(writer);
      await writer.connect();
      const transaction = await writer.transaction();
      await transaction.send({ topic, messages: messages.map((message) => ({ partition, ...message })) });
      return (how) => (how === 'commit' ? transaction.commit() : transaction.abort());
    },
    async send(topic, messages) {
      await producer.send({ topic, messages: [...messages] });
    },
    async close() {
      for (const writer of transactional) await writer.disconnect();
      await producer.disconnect();
      await admin.disconnect();
    },
  };
}

export const messagesOf = (from: number, to: number, partition?: number): Message[] =>
  Array.from({ length: to - from }, (_, index) => ({
    key: `k${from + index}`,
    value: JSON.stringify({ id: from + index }),
    ...(partition === undefined ? {} : { partition }),
  }));

export interface Found<Row> {
  readonly rows: Row[];
  readonly offsets: bigint[];
  next: bigint;
  source: SourceBatch<Row>;
}

/** Reads a source to its end, as the runner does, and gives what each partition had. */
export async function readToEnd<Row>(
  source: Source<Row>,
  positions: Positions = new Map<string, Position>(),
  limit = 1_000,
  pipeline = `p-${randomBytes(4).toString('hex')}`,
): Promise<Map<string, Found<Row>>> {
  const found = new Map<string, Found<Row>>();
  const { signal } = new AbortController();
  for await (const assignment of source.assignments({ pipeline, signal })) {
    const reader = await assignment.open(positions, signal);
    try {
      for (
        let batch = await reader.read({ rows: limit });
        batch !== undefined;
        batch = await reader.read({ rows: limit })
      ) {
        const { partition, rows, offsets, next } = batch;
        const before = found.get(partition) ?? { rows: [], offsets: [], next: 0n, source: batch };
        before.rows.push(...rows);
        before.offsets.push(...offsets);
        before.next = next;
        before.source = batch;
        found.set(partition, before);
      }
    } finally {
      await reader.close();
    }
  }
  return found;
}

/** The positions that a commit of all that was found would store. */
export async function positionsOf<Row>(found: ReadonlyMap<string, Found<Row>>): Promise<Positions> {
  const positions = new Map<string, Position>();
  for (const [partition, { next, source }] of found) {
    const identity = await source.identity();
    positions.set(partition, { epoch: 1n, offset: next, txId: 1n, owner: 1n, source: identity, target: 't' });
  }
  return positions;
}

export const failureOf = async (work: Promise<unknown>): Promise<unknown> =>
  await work.then(
    () => undefined,
    (error: unknown) => error,
  );
