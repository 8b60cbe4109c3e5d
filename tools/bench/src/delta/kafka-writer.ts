/** A pipeline from a topic to a Delta table, in a process of its own: its memory is watched. */
import { pipeline } from '@eos/core';
import { deltaSink } from '@eos/delta';
import { json, kafkaSource } from '@eos/kafka';
import { reportedRun, taskOf } from '../children/reported-run.js';
import { recordSchema } from '../kafka/records.js';

export interface FromKafkaTask {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly folder: string;
  readonly rowsPerCommit: number;
}

const { brokers, topic, folder, rowsPerCommit } = taskOf() as FromKafkaTask;

await reportedRun(() =>
  pipeline({
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
  }).run({ signals: [] }),
);
