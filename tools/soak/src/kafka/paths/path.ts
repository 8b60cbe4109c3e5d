/** From a topic to each kind of sink, to its end: what the program, and the test that starts it, both know. */
import { join } from 'node:path';
import { rowSchema, t, type SinkConnector, type Source } from '@eos/core';
import { deltaSink } from '@eos/delta';
import { json, kafkaSink, kafkaSource } from '@eos/kafka';
import { postgresSink } from '@eos/postgres';
import { s3Sink } from '@eos/s3';
import { connectionOf } from '../pipelines.js';

export const DESTINATIONS = ['kafka', 'postgres', 's3', 'delta'] as const;
export type DestinationName = (typeof DESTINATIONS)[number];

export interface PathTask {
  readonly to: DestinationName;
  readonly brokers: readonly string[];
  readonly url: string;
  /** Where the files of S3 and Delta are. */
  readonly folder: string;
}

export const PATH_VARIABLE = 'EOS_KAFKA_PATH_TASK';
export const FROM_TOPIC = 'measurements';
export const FROM_PARTITIONS = 3;
export const TO_TOPIC = 'measurements-copy';
export const TABLE = 'measurements';

export const measurementSchema = rowSchema({ id: t.int64(), text: t.string() });
export interface Measurement {
  readonly id: bigint;
  readonly text: string;
}

export const measurementFormat = json({ schema: measurementSchema, key: ['id'] });

/** In the group of its pipeline, up to what is there now. */
export const pathSource = ({ brokers }: PathTask, topic = FROM_TOPIC): Source<Measurement> =>
  kafkaSource({
    connection: connectionOf(brokers),
    topic,
    format: measurementFormat,
    until: 'end',
    sessionTimeoutMs: 1_500,
    heartbeatIntervalMs: 200,
  });

export const contextOf = ({ to }: PathTask) => ({ pipeline: `to-${to}`, sink: 'end' });

export function pathSink({ to, brokers, url, folder }: PathTask): SinkConnector<Measurement> {
  const schema = measurementSchema;
  switch (to) {
    case 'kafka':
      return kafkaSink({
        connection: connectionOf(brokers),
        topic: TO_TOPIC,
        format: measurementFormat,
        create: { partitions: FROM_PARTITIONS },
      });
    case 'postgres':
      return postgresSink({ connection: url, table: TABLE, schema });
    case 's3':
      return s3Sink({ folder: join(folder, 's3'), prefix: TABLE, format: 'ndjson', schema });
    case 'delta':
      return deltaSink({ folder: join(folder, 'delta'), path: TABLE, schema });
  }
}

export type PathNews = 'commit' | 'done';
