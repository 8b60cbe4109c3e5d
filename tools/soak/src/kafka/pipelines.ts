/** The pipelines that every process runs, and the options of their ends: the proof itself asks the same ends how far they are. */
import { rowSchema, t, type SinkConnector, type Source } from '@eos/core';
import { kafkaSink, kafkaSource } from '@eos/kafka';
import { postgresSink } from '@eos/postgres';
import { format, schema, type ChangedRow } from './changes.js';
import {
  COPY_TOPIC,
  PARTITIONS,
  SESSION_MS,
  SOURCE_TOPIC,
  type KafkaTask,
  type PipelineName,
} from './task.js';

/** KafkaJS tells of every lost connection unless it is told not to. */
export const connectionOf = (brokers: readonly string[]) => ({ brokers: [...brokers], logLevel: 0 });

export function sourceOf({ brokers, version }: KafkaTask): Source<ChangedRow> {
  return kafkaSource({
    connection: connectionOf(brokers),
    topic: SOURCE_TOPIC,
    format,
    sessionTimeoutMs: SESSION_MS,
    heartbeatIntervalMs: 300,
    rebalanceTimeoutMs: 15_000,
    ...(version === 'old' ? {} : { prefetchBytes: 2 ** 20, partitionBytes: 100_000, maxWaitMs: 100 }),
  }) as Source<ChangedRow>;
}

export function copySink({ brokers, version }: KafkaTask): SinkConnector<ChangedRow> {
  return kafkaSink<ChangedRow>({
    connection: connectionOf(brokers),
    topic: COPY_TOPIC,
    create: { partitions: PARTITIONS },
    format: format as Parameters<typeof kafkaSink<ChangedRow>>[0]['format'],
    transactionTimeoutMs: version === 'old' ? 20_000 : 30_000,
  });
}

export const logSchema = rowSchema({
  partition: t.string(),
  record: t.int64(),
  id: t.int64(),
  version: t.int32().nullable(),
});

/** A row for each record, by where it came from: what is there twice or not at all shows. */
export interface LogRow {
  readonly partition: string;
  readonly record: bigint;
  readonly id: bigint;
  readonly version: number | null;
}

export const tableSink = ({ url }: KafkaTask): SinkConnector<ChangedRow> =>
  postgresSink({
    connection: url,
    table: 'changed',
    schema,
    mode: 'upsert',
    key: ['id'],
  });

export const logSink = ({ url }: KafkaTask): SinkConnector<LogRow> =>
  postgresSink({ connection: url, table: 'change_log', schema: logSchema });

export const triggerOf = ({ version }: KafkaTask) =>
  version === 'old' ? { rows: 750, intervalMs: 300 } : { rows: 2_000, intervalMs: 100 };

export const RETRY = { attempts: Infinity, initialMs: 50, maxMs: 2_000 };

/** What an end is asked by: the position's pipeline and sink. */
export const contextOf = (pipeline: PipelineName) => ({ pipeline, sink: 'proof' });
