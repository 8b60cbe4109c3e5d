/** A pipeline from a topic, in a process of its own: to be killed, or to have its memory watched. */
import { pipeline } from '@eos/core';
import { bytes, json, kafkaSink, kafkaSource } from '@eos/kafka';
import { postgresSink } from '@eos/postgres';
import type { KafkaTask } from '../kafka/child-task.js';
import { recordSchema } from '../kafka/records.js';
import { reportedRun, taskOf } from './reported-run.js';

const task = taskOf() as KafkaTask;
const connection = { brokers: [...task.brokers] };
const reading = { connection, topic: task.from, until: 'end', groupId: false } as const;
const trigger = { rows: task.rowsPerCommit, bytes: Infinity };
const { to } = task;
const work =
  'topic' in to
    ? pipeline({
        id: task.pipeline,
        source: kafkaSource({ ...reading, format: bytes() }),
        sinks: { copy: kafkaSink({ connection, topic: to.topic, format: bytes() }) },
        trigger,
      })
    : pipeline({
        id: task.pipeline,
        source: kafkaSource({
          ...reading,
          format: json({ schema: recordSchema, mode: 'upsert', key: ['id'], keyForm: 'text' }),
        }),
        sinks: {
          table: postgresSink({
            connection: to.url,
            table: to.table,
            schema: recordSchema,
            mode: 'upsert',
            key: ['id'],
          }),
        },
        trigger,
      });
await reportedRun(() => work.run());
