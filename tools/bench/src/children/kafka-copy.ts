/** A pipeline from a topic, in a process of its own: to be killed, or to have its memory watched. */
import { subscribe } from 'node:diagnostics_channel';
import { pipeline, type PipelineEvents } from '@eos/core';
import { bytes, json, kafkaSink, kafkaSource } from '@eos/kafka';
import { postgresSink } from '@eos/postgres';
import type { KafkaTask } from '../kafka/child-task.js';
import { recordSchema } from '../kafka/records.js';
import type { ChildMessage, MemorySample } from './protocol.js';

const SAMPLE_MS = 100;

// The parent is part of this package: what it sends is a task.
const task = JSON.parse(process.argv[2] ?? '{}') as KafkaTask;
const samples: MemorySample[] = [];
let committedRows = 0;

function send(message: ChildMessage): void {
  process.send?.(message);
}

// The channel's messages are those that core declares for it.
subscribe('eos:commit', (message) => {
  committedRows += (message as PipelineEvents['eos:commit']).rows;
  send({ type: 'commit' });
});
send({ type: 'loaded', milliseconds: performance.now() });
const sampler = setInterval(() => {
  samples.push({ rows: committedRows, bytes: process.memoryUsage.rss() });
}, SAMPLE_MS);

const connection = { brokers: [...task.brokers] };
const reading = { connection, topic: task.from, until: 'end', groupId: false } as const;
const trigger = { rows: task.rowsPerCommit, bytes: Infinity };
const { to } = task;
await (
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
      })
).run();
clearInterval(sampler);
send({ type: 'done', samples, peakBytes: process.resourceUsage().maxRSS * 1024 });
process.disconnect();
