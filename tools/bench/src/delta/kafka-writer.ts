/** A pipeline from a topic to a Delta table, in a process of its own: its memory is watched. */
import { pipeline } from '@eos/core';
import { deltaSink } from '@eos/delta';
import { json, kafkaSource } from '@eos/kafka';
import type { ChildMessage } from '../children/protocol.js';
import { recordSchema } from '../kafka/records.js';

export interface FromKafkaTask {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly folder: string;
  readonly rowsPerCommit: number;
}

// The parent is part of this package: what it sends is a task.
const { brokers, topic, folder, rowsPerCommit } = JSON.parse(process.argv[2] ?? '{}') as FromKafkaTask;

function send(message: ChildMessage): void {
  process.send?.(message);
}

send({ type: 'loaded', milliseconds: performance.now() });
await pipeline({
  id: 'from-kafka',
  source: kafkaSource({
    connection: { brokers: [...brokers] },
    topic,
    until: 'end',
    groupId: false,
    format: json({ schema: recordSchema }),
  }),
  sinks: { delta: deltaSink({ folder, schema: recordSchema }) },
  trigger: { rows: rowsPerCommit, bytes: Infinity, intervalMs: 60_000 },
}).run({ signals: [] });
send({ type: 'done', samples: [], peakBytes: process.resourceUsage().maxRSS * 1024 });
process.disconnect();
