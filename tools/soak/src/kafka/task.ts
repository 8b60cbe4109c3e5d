/** What a process of the proof is told, and what it tells. */

/** Settings that differ between two versions of a program that run at the same time. */
export const VERSIONS = ['old', 'new'] as const;
export type Version = (typeof VERSIONS)[number];

export const PIPELINES = ['copy', 'table', 'log'] as const;
/** `copy`: Kafka → Kafka. `table`: Kafka → Postgres, the last row of each key. `log`: Kafka → Postgres, a row for each record. */
export type PipelineName = (typeof PIPELINES)[number];

export interface KafkaTask {
  readonly brokers: readonly string[];
  readonly url: string;
  readonly version: Version;
}

export const TASK_VARIABLE = 'EOS_KAFKA_PROOF_TASK';

export const SOURCE_TOPIC = 'changes';
export const COPY_TOPIC = 'copy';
export const PARTITIONS = 12;

/** A process that stands still for longer is taken for dead by its groups. */
export const SESSION_MS = 6_000;

/** What a process says twice a second. */
export interface KafkaNews {
  readonly rows: number;
  readonly commits: number;
  readonly fences: number;
  readonly retries: number;
  /** Group and generation of each time that partitions were shared out. */
  readonly generations: readonly string[];
}

export function isKafkaNews(message: unknown): message is KafkaNews {
  return typeof message === 'object' && message !== null && 'generations' in message;
}
