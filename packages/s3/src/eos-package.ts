/** The sink and the source of this package, for files of configuration: `use: '@eos/s3'`. */
import { resolve } from 'node:path';
import {
  COLUMNS_SCHEMA,
  EosError,
  rowSchemaOf,
  type EosPackage,
  type JsonValue,
  type OptionSchema,
  type SinkConnector,
} from '@eos/core';
import type { S3SinkOptions } from './options.js';
import { s3Sink } from './sink.js';
import { s3Source, type S3SourceOptions } from './source/s3-source.js';

const NAMES: OptionSchema = { type: 'array', items: { type: 'string' }, minItems: 1 };
const COUNT: OptionSchema = { type: 'integer', minimum: 1 };
const MEBIBYTE = 2 ** 20;

const PLACE = {
  bucket: {
    type: 'string',
    minLength: 1,
    description: 'A bucket of S3 or of a service that speaks its protocol. Either this or folder.',
  },
  folder: {
    type: 'string',
    minLength: 1,
    description: 'A local folder, relative to this file; made where it is missing.',
  },
  prefix: {
    type: 'string',
    description: 'The folder of the table in there, such as tables/flights. Default: the root.',
  },
  client: {
    type: 'object',
    description:
      'With bucket: what the official client is made from: endpoint, region, credentials, forcePathStyle …',
  },
  partBytes: {
    type: 'integer',
    minimum: 5 * MEBIBYTE,
    maximum: 1024 * MEBIBYTE,
    default: 8 * MEBIBYTE,
    description: 'With bucket: the size of a part of an upload.',
  },
  parallelParts: {
    type: 'integer',
    minimum: 1,
    maximum: 64,
    default: 4,
    description: 'With bucket: how many parts of an upload travel at once.',
  },
} as const;

/** An option without a line here is refused in files of configuration: all but an object store have one, which only a program can make. */
const OPTIONS = {
  ...PLACE,
  schema: COLUMNS_SCHEMA,
  mode: {
    enum: ['append', 'upsert'],
    default: 'append',
    description:
      'append: every row is added. upsert: a changelog with the column _op; the last change of each key wins.',
  },
  key: { ...NAMES, description: 'For upsert: the columns of the key.' },
  format: { enum: ['ndjson', 'csv', 'parquet'], default: 'ndjson', description: 'What files hold.' },
  compression: {
    enum: ['none', 'gzip', 'zstd', 'snappy'],
    description:
      'none is the default of ndjson and csv, snappy (for parquet only) that of parquet. zstd needs Node 22.15.',
  },
  partitionBy: {
    ...NAMES,
    description:
      'Folders such as date=2026-01-31/ by these columns; for upsert, columns of the key. A function takes a program.',
  },
  roll: {
    type: 'object',
    description: 'When a file of a transaction ends and the next begins.',
    properties: {
      rows: { ...COUNT, description: 'After so many rows.' },
      bytes: { ...COUNT, default: 256 * MEBIBYTE, description: 'After about so many bytes, as stored.' },
      milliseconds: { ...COUNT, description: 'So long after its first row.' },
    },
    additionalProperties: false,
  },
  bloomFilters: { ...NAMES, description: 'With parquet: columns that get a Bloom filter.' },
  visibility: {
    enum: ['log', 'listing'],
    default: 'log',
    description:
      'listing: who lists the folder never sees an uncommitted file; append only, and no compaction.',
  },
  evolution: {
    enum: ['fail', 'add-nullable'],
    default: 'fail',
    description: 'What to do about columns of the schema that the table lacks. Types are never changed.',
  },
} as const satisfies Record<Exclude<keyof S3SinkOptions, 'store'>, OptionSchema>;

const SOURCE_OPTIONS = {
  ...PLACE,
  pipeline: {
    type: 'string',
    minLength: 1,
    description: 'Whose commits to read: the id of the pipeline that writes the table.',
  },
  sink: { type: 'string', minLength: 1, description: 'The name of its sink there.' },
  changelog: {
    enum: ['append', 'upsert'],
    default: 'append',
    description: 'As the table was made: upsert for one with a key, whose rows are changes.',
  },
  schema: { ...COLUMNS_SCHEMA, description: 'Which columns to read, as the table has them. Default: all.' },
  follow: {
    type: 'boolean',
    default: false,
    description: 'Whether to wait for more at the end of the log.',
  },
  pollMs: {
    ...COUNT,
    default: 1_000,
    description: 'With follow: milliseconds between two looks behind the end.',
  },
  after: {
    type: 'string',
    pattern: '^\\d{1,19}$',
    description: 'A first run begins behind this entry of the log. Default: at the start.',
  },
} as const satisfies Record<Exclude<keyof S3SourceOptions, 'store'>, OptionSchema>;

/** Relative paths start at the file of configuration. */
function placeOf(folder: JsonValue | undefined, base: string): { readonly folder?: string } {
  return typeof folder === 'string' ? { folder: resolve(base, folder) } : {};
}

export const eosPackage: EosPackage = {
  sources: {
    s3: {
      summary: 'What a pipeline commits to a folder of files that `@eos/s3` writes, commit by commit',
      options: { properties: SOURCE_OPTIONS, required: ['pipeline', 'sink'] },
      create({ schema, folder, after, ...others }, { folder: base }) {
        const columns = schema === undefined ? {} : { schema: rowSchemaOf(schema) };
        const start = typeof after === 'string' ? { after: BigInt(after) } : {};
        // Checked against the schema above, which has the names and types of these options.
        const options = { ...others, ...placeOf(folder, base), ...columns, ...start };
        return s3Source(options as unknown as S3SourceOptions);
      },
    },
  },
  sinks: {
    s3: {
      summary: 'A folder of NDJSON, CSV or Parquet files, in a bucket or on a disk, with a log beside them',
      options: { properties: OPTIONS },
      create({ schema, folder, ...others }, { folder: base }) {
        if (schema === undefined) {
          const details = { option: 'schema' };
          throw new EosError('EOS_CONFIG', 'schema is missing, or columns of the pipeline', { details });
        }
        // Checked against the schema above, which has the names and types of these options.
        const options = { ...others, ...placeOf(folder, base), schema: rowSchemaOf(schema) } as S3SinkOptions;
        // What a row holds is known when it comes: the sink checks each.
        return s3Sink(options) as SinkConnector<Record<string, unknown>>;
      },
    },
  },
};
