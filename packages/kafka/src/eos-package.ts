/** Source and sink of this package, for files of configuration: `use: '@eos/kafka'`. */
import type { EosPackage, OptionSchema } from '@eos/core';
import { configuredFormat, FORMAT_OPTIONS, READ_OPTIONS } from './configured-format.js';
import { kafkaSink } from './sink/kafka-sink.js';
import type { KafkaSinkOptions } from './sink/options.js';
import { kafkaSource } from './source/kafka-source.js';
import type { KafkaSourceOptions, StartOffsets } from './source/source-options.js';

const TOPICS: OptionSchema = { type: 'array', items: { type: 'string', minLength: 1 }, minItems: 1 };

const CONNECTION = {
  type: 'object',
  properties: {
    driver: { enum: ['kafkajs', 'platformatic'], default: 'kafkajs' },
    brokers: { ...TOPICS, description: 'host:port of some of the brokers.' },
  },
  additionalProperties: true,
  description: 'The options of the client library: brokers, ssl, sasl, clientId …',
  examples: [{ brokers: ['localhost:9092'] }],
} as const satisfies OptionSchema;

/** An option without a line here is refused in files of configuration. */
const SOURCE_OPTIONS = {
  connection: CONNECTION,
  topic: { anyOf: [{ type: 'string', minLength: 1 }, TOPICS], description: 'One topic, or several.' },
  groupId: {
    anyOf: [{ type: 'string', minLength: 1 }, { const: false }],
    description: "The consumer group. Default: the pipeline's id. false: one process reads everything.",
  },
  from: {
    anyOf: [
      { enum: ['earliest', 'latest'] },
      { type: 'object', additionalProperties: { type: 'string', pattern: '^[0-9]{1,19}$' } },
    ],
    default: 'earliest',
    description: 'Where to begin where nothing was committed yet; or offsets as texts, by <topic>/<number>.',
  },
  until: { const: 'end', description: 'end: read what is there now, then end. Default: for ever.' },
  unreadable: {
    enum: ['fail', 'skip'],
    default: 'fail',
    description: 'What becomes of a record that cannot be read: fail stops at it, skip drops and counts it.',
  },
  maxUnreadable: {
    type: 'integer',
    minimum: 0,
    default: 1_000,
    description: 'With skip: most of them in a row.',
  },
  prefetchBytes: bytes(16 * 2 ** 20, 'How many bytes may wait to be read, of all partitions together.'),
  fetchBytes: bytes(4 * 2 ** 20, 'The most that one request asks a broker for.'),
  partitionBytes: bytes(2 ** 20, 'The most of one partition in an answer.'),
  maxWaitMs: milliseconds(250, 'How long a broker waits for records where there are none.'),
  sessionTimeoutMs: milliseconds(30_000, 'Without a heartbeat for so long, a process is taken for dead.'),
  heartbeatIntervalMs: { type: 'integer', minimum: 1, description: 'Default: a tenth of sessionTimeoutMs.' },
  rebalanceTimeoutMs: milliseconds(60_000, 'How long the group waits for a process to let go.'),
  metadataIntervalMs: milliseconds(30_000, 'How often it is looked whether partitions were added.'),
  timeoutMs: milliseconds(30_000, 'How long all tries of one request may take together.'),
} as const satisfies Record<Exclude<keyof KafkaSourceOptions<unknown>, 'format'>, OptionSchema>;

const SINK_OPTIONS = {
  connection: CONNECTION,
  topic: { type: 'string', minLength: 1, description: 'The topic to write to.' },
  route: {
    type: 'object',
    properties: {
      by: { type: 'string', minLength: 1, description: 'The column that names the topic.' },
      topics: TOPICS,
    },
    required: ['by', 'topics'],
    additionalProperties: false,
    description: 'Instead of topic: rows to several topics, in one transaction.',
  },
  compression: {
    enum: ['none', 'gzip', 'zstd'],
    default: 'none',
    description: 'How record batches are compressed; zstd needs Node 22.15 or later.',
  },
  create: {
    type: 'object',
    properties: {
      partitions: { type: 'integer', minimum: 1 },
      replicationFactor: { type: 'integer', minimum: 1 },
      config: { type: 'object', additionalProperties: { type: 'string' } },
    },
    required: ['partitions'],
    additionalProperties: false,
    description: 'Make topics where they are missing. Default: a topic that is missing is an error.',
  },
  positionsTopic: {
    anyOf: [
      { type: 'string', minLength: 1 },
      {
        type: 'object',
        properties: {
          name: { type: 'string', minLength: 1 },
          partitions: { type: 'integer', minimum: 1 },
          replicationFactor: { type: 'integer', minimum: 1 },
          create: { type: 'boolean' },
        },
        required: ['name'],
        additionalProperties: false,
      },
    ],
    default: 'eos-positions',
    description: 'Where positions are kept; several sinks may share one topic.',
  },
  ignoreExistingRecords: {
    type: 'boolean',
    default: false,
    description: 'For the first start on topics that have records already, none of them from this pipeline.',
  },
  transactionTimeoutMs: milliseconds(60_000, 'The brokers abort a transaction that is open for longer.'),
  timeoutMs: milliseconds(30_000, 'How long all tries of one request may take together.'),
  reportOffsets: {
    type: 'object',
    properties: { groupId: { type: 'string', minLength: 1 }, intervalMs: { type: 'integer', minimum: 1 } },
    required: ['groupId'],
    additionalProperties: false,
    description: 'Commit offsets of a consumer group now and then, where source and sink are in one cluster.',
  },
} as const satisfies Record<Exclude<keyof KafkaSinkOptions<unknown>, 'format' | 'partitioner'>, OptionSchema>;

function milliseconds(otherwise: number, description: string) {
  return { type: 'integer', minimum: 1, maximum: 2 ** 31 - 1, default: otherwise, description } as const;
}

function bytes(otherwise: number, description: string) {
  return { type: 'integer', minimum: 1, default: otherwise, description } as const;
}

export const eosPackage: EosPackage = {
  sources: {
    kafka: {
      summary: 'Topics of Apache Kafka, shared by the processes of a consumer group',
      options: {
        properties: { ...SOURCE_OPTIONS, ...READ_OPTIONS },
        required: ['connection', 'topic', 'schema'],
      },
      create(options) {
        const { format, rest } = configuredFormat(options);
        const { from, ...others } = rest;
        const start = from === undefined || typeof from === 'string' ? from : offsetsOf(from);
        // Checked against the schemas above, which have the names and types of these options.
        const checked = { ...others, ...(start === undefined ? {} : { from: start }), format };
        return kafkaSource(checked as unknown as KafkaSourceOptions<unknown>);
      },
    },
  },
  sinks: {
    kafka: {
      summary: 'Topics of Apache Kafka: records and position in one transaction',
      options: { properties: { ...SINK_OPTIONS, ...FORMAT_OPTIONS }, required: ['connection', 'schema'] },
      create(options) {
        const { format, rest } = configuredFormat(options);
        // Checked against the schemas above, which have the names and types of these options.
        return kafkaSink({ ...rest, format } as unknown as KafkaSinkOptions<Record<string, unknown>>);
      },
    },
  },
};

/** The schema above lets only texts of digits through. */
function offsetsOf(from: unknown): StartOffsets {
  return Object.fromEntries(
    Object.entries(from ?? {}).map(([name, offset]) => [name, BigInt(String(offset))]),
  );
}
