import { EosError, type SinkContext } from '@eos/core';
import type { KafkaConnection } from '../client/connect.js';
import { canCompress, type WrittenCodec } from '../client/wire/compression.js';
import type { RecordFormat } from '../encoding/format.js';
import type { Partitioner } from '../encoding/partitioner.js';
import type { PositionsSettings } from '../positions/set-up.js';

export interface KafkaSinkOptions<Row> {
  /** Brokers, TLS, SASL, client id, timeouts: everything that the driver takes, passed through. */
  readonly connection: KafkaConnection;
  /** The topic to write to, or several with `route`. */
  readonly topic?: string;
  /** Rows to several topics, in one transaction. */
  readonly route?: {
    /** The topic that a row goes to, or the column that holds its name. One that is not in `topics` is EOS_ROW. */
    readonly by: ((row: Row) => string) | (keyof Row & string);
    readonly topics: readonly string[];
  };
  /** How rows become records: `json(…)`, `debezium(…)`, `bytes()`, `serializer(…)`. It says which changes the sink can hold. */
  readonly format: RecordFormat<Row>;
  /** Default: by the key, as Kafka's Java client does; records without one go to one partition after the other, in lots. */
  readonly partitioner?: Partitioner<Row>;
  /** How record batches are compressed: `zstd` needs Node 22.15 or later. Default: not at all. */
  readonly compression?: WrittenCodec | 'none';
  /** Make topics where they are missing. Default: a topic that is not there is EOS_SCHEMA. */
  readonly create?: {
    readonly partitions: number;
    /** Default: that of the brokers. */
    readonly replicationFactor?: number;
    /** As in `{ 'cleanup.policy': 'compact' }`. */
    readonly config?: Readonly<Record<string, string>>;
  };
  /** Where positions are kept; several sinks may share one topic. Default `eos-positions`. */
  readonly positionsTopic?: string | PositionsTopicOptions;
  /**
   * For the first start on topics that have records already, none of them from this pipeline. Default false: records without any position
   * mean that positions were lost.
   */
  readonly ignoreExistingRecords?: boolean;
  /** The brokers abort a transaction that is open for longer. Default 60,000 ms; at most their `transaction.max.timeout.ms`. */
  readonly transactionTimeoutMs?: number;
  /** How long all tries of one request may take together. Default 30,000 ms. */
  readonly timeoutMs?: number;
  /**
   * Commit offsets of a consumer group now and then, where the source is a topic of the same cluster: the usual tools then show how far
   * the pipeline is. Nothing is ever decided by them. What is committed within `intervalMs` of a report is only in the next one: behind
   * the last commit before a pause, the tools may show that much as lag; `eos status` does not.
   */
  readonly reportOffsets?: {
    readonly groupId: string;
    /** Default 5,000 ms. Each report takes two requests. */
    readonly intervalMs?: number;
  };
}

export interface PositionsTopicOptions {
  readonly name: string;
  /** For a topic that is made. Default 12. */
  readonly partitions?: number;
  /** For a topic that is made. Default: that of the brokers. */
  readonly replicationFactor?: number;
  /** Default true; false: a topic that is missing is EOS_CONFIG, with the command that makes it. */
  readonly create?: boolean;
}

/** The options, checked, with their defaults. */
export interface Settings<Row> {
  readonly connection: KafkaConnection;
  readonly topics: readonly [string, ...string[]];
  /** The topic of a row; undefined: there is one only. What is no name of a topic is the row's mistake. */
  readonly routeBy: ((row: Row) => unknown) | undefined;
  readonly format: RecordFormat<Row>;
  readonly encoder: NonNullable<RecordFormat<Row>['encoder']>;
  readonly partitioner: Partitioner<Row> | undefined;
  readonly compression: WrittenCodec | undefined;
  readonly create:
    | {
        readonly partitions: number;
        readonly replicationFactor: number;
        readonly config: Readonly<Record<string, string>>;
      }
    | undefined;
  readonly positions: PositionsSettings;
  readonly transactionTimeoutMs: number;
  readonly timeoutMs: number;
  readonly reportOffsets: { readonly groupId: string; readonly intervalMs: number } | undefined;
}

export interface SinkPlace<Row> {
  readonly settings: Settings<Row>;
  readonly context: SinkContext;
}

const TOPIC_NAME = /^[A-Za-z0-9._-]{1,249}$/;
const DEFAULT_POSITIONS = 'eos-positions';
const DEFAULT_PARTITIONS = 12;

/** @throws EOS_CONFIG, with the option's name */
export function checkOptions<Row>(options: KafkaSinkOptions<Row>): Settings<Row> {
  const { connection, format, partitioner, create, reportOffsets } = options;
  if (typeof connection !== 'object')
    fail('connection', `must hold the options of the driver, brokers at least`);
  const { encoder } = format;
  if (encoder === undefined)
    fail('format', `must be one that can be written, and ${format.name} can only be read`);
  const timeoutMs = positive('timeoutMs', options.timeoutMs ?? 30_000);
  const transactionTimeoutMs = positive('transactionTimeoutMs', options.transactionTimeoutMs ?? 60_000);
  if (create !== undefined) positive('create.partitions', create.partitions);
  const topics = checkTopics(options);
  const positions = checkPositions(options, transactionTimeoutMs);
  if (topics.includes(positions.topic))
    fail('positionsTopic', `must not be a topic that rows go to, as ${positions.topic} is`);
  return {
    connection,
    topics,
    routeBy: routeBy(options),
    format,
    encoder,
    partitioner,
    compression: checkCompression(options.compression),
    create:
      create === undefined
        ? undefined
        : { replicationFactor: -1, config: {}, ...withoutUndefined(create), partitions: create.partitions },
    positions,
    transactionTimeoutMs,
    timeoutMs,
    reportOffsets:
      reportOffsets === undefined
        ? undefined
        : {
            groupId: reportOffsets.groupId,
            intervalMs: positive('reportOffsets.intervalMs', reportOffsets.intervalMs ?? 5_000),
          },
  };
}

function checkTopics<Row>({ topic, route }: KafkaSinkOptions<Row>): readonly [string, ...string[]] {
  if ((topic === undefined) === (route === undefined)) fail('topic', 'must be given, or route instead of it');
  const [first, ...others] = topic === undefined ? (route?.topics ?? []) : [topic];
  const option = topic === undefined ? 'route.topics' : 'topic';
  if (first === undefined) fail(option, 'must name at least one topic');
  for (const name of [first, ...others]) checkTopicName(option, name);
  if (new Set([first, ...others]).size <= others.length) fail(option, 'names a topic twice');
  return [first, ...others];
}

function routeBy<Row>({ route }: KafkaSinkOptions<Row>): Settings<Row>['routeBy'] {
  if (route === undefined) return undefined;
  const { by } = route;
  if (typeof by === 'function') return by;
  if (typeof by !== 'string')
    fail('route.by', 'must be a column, or a function from a row to the name of a topic');
  return (row) => row[by];
}

function checkPositions<Row>(
  { positionsTopic = DEFAULT_POSITIONS, ignoreExistingRecords = false }: KafkaSinkOptions<Row>,
  transactionTimeoutMs: number,
): PositionsSettings {
  const given = typeof positionsTopic === 'string' ? { name: positionsTopic } : positionsTopic;
  const { name, partitions = DEFAULT_PARTITIONS, replicationFactor = -1, create = true } = given;
  checkTopicName('positionsTopic', name);
  positive('positionsTopic.partitions', partitions);
  return {
    topic: name,
    partitions,
    replicationFactor,
    mayCreate: create,
    ignoreExistingRecords,
    transactionTimeoutMs,
  };
}

/** @throws EOS_CONFIG */
export function checkTopicName(option: string, name: unknown): void {
  if (typeof name === 'string' && TOPIC_NAME.test(name) && name !== '.' && name !== '..') return;
  fail(option, `must be 1 to 249 of A-Z a-z 0-9 . _ -, and is ${JSON.stringify(name)}`);
}

function checkCompression(codec: unknown = 'none'): WrittenCodec | undefined {
  if (codec === 'none') return undefined;
  if (codec !== 'gzip' && codec !== 'zstd')
    return fail('compression', `must be none, gzip or zstd, and is ${JSON.stringify(codec)}`);
  if (canCompress(codec)) return codec;
  return fail('compression', `${codec} needs Node 22.15 or later, and this is ${process.version}`);
}

function positive(option: string, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 2 ** 31) return value;
  return fail(option, `must be a whole number above 0, and is ${JSON.stringify(value)}`);
}

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;
}

function fail(option: string, problem: string): never {
  throw new EosError('EOS_CONFIG', `${option} ${problem}`, { details: { option } });
}
