/** What copies one topic to another: ours, and two loops as people write them with KafkaJS. */
import { pipeline } from '@eos/core';
import { bytes, kafkaSink, kafkaSource, type KafkaConnection } from '@eos/kafka';
import { Kafka, logLevel, type EachBatchPayload, type Message } from 'kafkajs';

export interface CopyTask {
  readonly brokers: readonly string[];
  readonly from: string;
  readonly to: string;
  readonly records: number;
  /** Records of a transaction, or of a `send`. */
  readonly size: number;
  readonly partitions: number;
}

/** Exactly once: positions in the destination, one transaction for each source partition and commit. */
export async function copyWithEos(
  task: CopyTask,
  driver: 'kafkajs' | 'platformatic' = 'kafkajs',
): Promise<void> {
  const connection: KafkaConnection = { driver, brokers: [...task.brokers] };
  const { rows } = await pipeline({
    id: task.to,
    source: kafkaSource({ connection, topic: task.from, format: bytes(), until: 'end', groupId: false }),
    sinks: { copy: kafkaSink({ connection, topic: task.to, format: bytes() }) },
    trigger: { rows: task.size, bytes: Infinity, intervalMs: 60_000 },
  }).run({ signals: [] });
  if (rows !== task.records) throw new Error(`copied ${rows} of ${task.records} records`);
}

/** At least once: idempotent producer, acks of all, offsets committed behind each `send`. */
export async function copyAtLeastOnce(task: CopyTask): Promise<void> {
  const { kafka, groupId } = clientOf(task);
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  try {
    await eachChunk(task, kafka, groupId, async (messages, { partition, next, payload }) => {
      for (const part of parts(messages)) await producer.send({ topic: task.to, acks: -1, messages: part });
      await payload.commitOffsetsIfNecessary({
        topics: [{ topic: task.from, partitions: [{ partition, offset: next }] }],
      });
    });
  } finally {
    await producer.disconnect();
  }
}

/** KafkaJS's own transactions, with its default settings. */
export async function copyInTransactions(task: CopyTask): Promise<void> {
  const { kafka, groupId } = clientOf(task);
  const producer = kafka.producer({ transactionalId: groupId, idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  try {
    await eachChunk(task, kafka, groupId, async (messages, { partition, next }) => {
      const transaction = await producer.transaction();
      for (const part of parts(messages))
        await transaction.send({ topic: task.to, acks: -1, messages: part });
      await transaction.sendOffsets({
        consumerGroupId: groupId,
        topics: [{ topic: task.from, partitions: [{ partition, offset: next }] }],
      });
      await transaction.commit();
    });
  } finally {
    await producer.disconnect();
  }
}

function clientOf({ brokers, to }: CopyTask) {
  return { kafka: new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }), groupId: `${to}-group` };
}

/** KafkaJS makes one record batch of a `send`, and the broker takes no more than 1 MiB at once. */
const RECORDS_PER_SEND = 5_000;

function parts(messages: Message[]): Message[][] {
  const count = Math.ceil(messages.length / RECORDS_PER_SEND);
  return Array.from({ length: count }, (_, index) =>
    messages.slice(index * RECORDS_PER_SEND, (index + 1) * RECORDS_PER_SEND),
  );
}

interface Chunk {
  readonly partition: number;
  /** Where reading goes on. */
  readonly next: string;
  readonly payload: EachBatchPayload;
}

/** Hands out the records in lots of `size`, by partition, until all were there. */
async function eachChunk(
  { from, records, size, partitions }: CopyTask,
  kafka: Kafka,
  groupId: string,
  work: (messages: Message[], chunk: Chunk) => Promise<void>,
): Promise<void> {
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100, maxBytesPerPartition: 4 * 1024 * 1024 });
  await consumer.connect();
  await consumer.subscribe({ topic: from, fromBeginning: true });
  const share = Math.ceil(size / partitions);
  let copied = 0;
  try {
    await new Promise<void>((resolve, reject) => {
      const eachBatch = async (payload: EachBatchPayload) => {
        const { messages, partition } = payload.batch;
        for (let first = 0; first < messages.length; first += share) {
          const chunk = messages.slice(first, first + share);
          const last = chunk.at(-1)?.offset ?? '0';
          const copies = chunk.map(({ key, value, headers }): Message => ({
            key,
            value,
            ...(headers === undefined ? {} : { headers }),
          }));
          await work(copies, { partition, next: String(BigInt(last) + 1n), payload });
          payload.resolveOffset(last);
          await payload.heartbeat();
          copied += chunk.length;
        }
        if (copied >= records) resolve();
      };
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
      consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch }).catch(reject);
    });
  } finally {
    await consumer.disconnect();
  }
}
