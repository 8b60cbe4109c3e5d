import { EosError, shownValue } from '@eos/core';
import type { KafkaConnection } from '../client/connect.js';
import { configError } from '../encoding/format-options.js';
import type { RecordDecoder, ReadableFormat, RecordPlace } from '../encoding/format.js';
import type { UnreadableRecords } from './poison.js';

/** Offsets by partition name, `<topic>/<number>`. */
export type StartOffsets = Readonly<Record<string, bigint>>;

export interface KafkaSourceOptions<Row> {
  /** Brokers, TLS, SASL, client id and timeouts, all as the client library takes them; passed through. */
  readonly connection: KafkaConnection;
  /** One topic or several. They are not made: a topic that is missing is an error. */
  readonly topic: string | readonly string[];
  /** How records become rows: `json`, `debezium`, `bytes` or `serializer`. */
  readonly format: ReadableFormat<Row>;
  /**
   * The consumer group by which processes share the partitions. Default: the pipeline's id. False: this process reads all of them, and
   * a second one fences it.
   */
  readonly groupId?: string | false;
  /**
   * Where to begin in a partition of which nothing was ever committed: `earliest` (default), `latest`, or offsets by partition name (others
   * at the earliest). A partition that is added while a source runs is read from its first record. The stored offsets of the group are
   * never looked at, and nothing is ever reset.
   */
  readonly from?: 'earliest' | 'latest' | StartOffsets;
  /**
   * `end`: reads up to the high watermark that each partition has when this process first sees it, then ends; a transaction that is open
   * there is waited for. Default: follows the topic for ever.
   */
  readonly until?: 'end';
  /**
   * What becomes of a record that cannot be read as `format` says. `fail` (default): the pipeline stops at it, and names topic, partition
   * and offset. `skip`: it is dropped, counted, and told on the diagnostics channel `eos:kafka:skip`.
   */
  readonly unreadable?: UnreadableRecords;
  /** With `skip`: more than so many in a row in one partition stop the pipeline. Default 1,000. */
  readonly maxUnreadable?: number;
  /**
   * How many bytes may wait to be read, of all partitions together. Default 16 MiB. Memory is bounded by them and one answer of each broker,
   * whatever the number of partitions.
   */
  readonly prefetchBytes?: number;
  /** The most that one request asks a broker for. Default 4 MiB; a record batch that is larger comes whole. */
  readonly fetchBytes?: number;
  /** The most of one partition in an answer, and of what waits of it. Default 1 MiB. */
  readonly partitionBytes?: number;
  /** How long a broker waits for records where there are none. Default 250 ms. */
  readonly maxWaitMs?: number;
  /** Without a heartbeat for so long, the group takes a process for dead. Default 30,000 ms. */
  readonly sessionTimeoutMs?: number;
  /** Default: a tenth of the session timeout. */
  readonly heartbeatIntervalMs?: number;
  /** How long the group waits for a process to let go of its partitions. Default 60,000 ms. */
  readonly rebalanceTimeoutMs?: number;
  /** How often it is looked whether partitions were added. Default 30,000 ms. */
  readonly metadataIntervalMs?: number;
  /** How long all tries of one request may take together. Default 30,000 ms. */
  readonly timeoutMs?: number;
}

/** The options, checked, with their defaults. */
export interface SourceSettings<Row> {
  readonly connection: KafkaConnection;
  readonly topics: readonly string[];
  readonly format: ReadableFormat<Row>;
  readonly groupId: string | false | undefined;
  readonly from: 'earliest' | 'latest' | StartOffsets;
  readonly isBounded: boolean;
  readonly unreadable: UnreadableRecords;
  readonly maxUnreadable: number;
  readonly prefetchBytes: number;
  readonly fetchBytes: number;
  readonly partitionBytes: number;
  readonly maxWaitMs: number;
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly metadataIntervalMs: number;
  readonly timeoutMs: number;
}

const MEBIBYTE = 1024 * 1024;

/** @throws EOS_CONFIG */
export function checkSourceOptions<Row>(options: KafkaSourceOptions<Row>): SourceSettings<Row> {
  const { connection, topic, format, groupId, from = 'earliest', until, unreadable = 'fail' } = options;
  const topics = typeof topic === 'string' ? [topic] : [...topic];
  if (topics.length === 0 || topics.some((name) => !TOPIC.test(name)))
    throw configError(
      'topic',
      `topic must name topics of 1 to 249 of A-Z a-z 0-9 . _ - (it is ${topics.join(', ')})`,
    );
  if (new Set(topics).size < topics.length)
    throw configError('topic', `topic names one twice: ${topics.join(', ')}`);
  if (format.decoder === undefined) throw configError('format', `${format.name} has no way to read records`);
  if (groupId === '') throw configError('groupId', 'groupId is empty; false: no group');
  checkFrom(from, topics);
  if (until !== undefined && (until as string) !== 'end')
    throw configError('until', `until can only be 'end'`);
  if (!['fail', 'skip'].includes(unreadable))
    throw configError('unreadable', `unreadable must be fail or skip`);
  const sessionTimeoutMs = number('sessionTimeoutMs', options.sessionTimeoutMs, 30_000, 1);
  return {
    connection,
    topics,
    format,
    groupId,
    from,
    isBounded: until === 'end',
    unreadable,
    maxUnreadable: number('maxUnreadable', options.maxUnreadable, 1_000, 0),
    prefetchBytes: number('prefetchBytes', options.prefetchBytes, 16 * MEBIBYTE, 1),
    fetchBytes: number('fetchBytes', options.fetchBytes, 4 * MEBIBYTE, 1),
    partitionBytes: number('partitionBytes', options.partitionBytes, MEBIBYTE, 1),
    maxWaitMs: number('maxWaitMs', options.maxWaitMs, 250, 1),
    sessionTimeoutMs,
    heartbeatIntervalMs: number(
      'heartbeatIntervalMs',
      options.heartbeatIntervalMs,
      Math.ceil(sessionTimeoutMs / 10),
      1,
    ),
    rebalanceTimeoutMs: number('rebalanceTimeoutMs', options.rebalanceTimeoutMs, 60_000, 1),
    metadataIntervalMs: number('metadataIntervalMs', options.metadataIntervalMs, 30_000, 1),
    timeoutMs: number('timeoutMs', options.timeoutMs, 30_000, 1),
  };
}

const TOPIC = /^[A-Za-z0-9._-]{1,249}$/;

function checkFrom(from: unknown, topics: readonly string[]): void {
  if (from === 'earliest' || from === 'latest') return;
  if (typeof from !== 'object' || from === null)
    throw configError('from', `from must be earliest, latest, or offsets by partition`);
  for (const [name, offset] of Object.entries(from)) {
    const [topic = '', partition] = name.split('/');
    const isOffset = typeof offset === 'bigint' && offset >= 0n;
    if (isOffset && topics.includes(topic) && partition !== undefined && /^\d{1,9}$/.test(partition))
      continue;
    const message = `from: ${JSON.stringify(name)} must name a partition of the topics, as <topic>/<number>, and an offset as a bigint`;
    throw configError('from', message);
  }
}

function number(option: string, value: unknown, byDefault: number, least: number): number {
  if (value === undefined) return byDefault;
  if (typeof value === 'number' && Number.isInteger(value) && value >= least) return value;
  throw configError(option, `${option} must be a whole number from ${least} (it is ${shownValue(value)})`);
}

/** The decoder of a partition. `checkSourceOptions` has made sure that the format has one. */
export function decoderOf<Row>(format: ReadableFormat<Row>, place: RecordPlace): RecordDecoder<Row> {
  const decoder = format.decoder?.(place);
  if (decoder === undefined) throw new EosError('EOS_CONFIG', `${format.name} has no way to read records`);
  return decoder;
}
