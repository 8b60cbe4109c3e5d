/** The sink and the source of this package, for files of configuration: `use: '@eos/delta'`. */
import { resolve } from 'node:path';
import {
  COLUMNS_SCHEMA,
  rowSchemaOf,
  type ConfiguredOptions,
  type EosPackage,
  type OptionSchema,
} from '@eos/core';
import type { DeltaSinkOptions } from './options.js';
import { deltaSink } from './sink/sink.js';
import { deltaSource, type DeltaSourceOptions } from './source/delta-source.js';

const NAMES: OptionSchema = { type: 'array', items: { type: 'string' }, minItems: 1 };
const MEBIBYTE = 2 ** 20;

const PLACE = {
  folder: {
    type: 'string',
    minLength: 1,
    description: 'A local folder, relative to this file; made where it is missing. Either this or bucket.',
  },
  bucket: {
    type: 'string',
    minLength: 1,
    description: 'A bucket of S3 or of a service that speaks its protocol.',
  },
  path: {
    type: 'string',
    description:
      'The folder of the table in there, such as tables/flights. Default: folder itself, or the root.',
  },
  client: {
    type: 'object',
    description:
      'With bucket: what the official client is made from: endpoint, region, credentials, forcePathStyle …',
  },
  partBytes: {
    ...bytes(8 * MEBIBYTE, 'With bucket: the size of a part of an upload.'),
    minimum: 5 * MEBIBYTE,
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
    description: 'append: every row is added. upsert: the last change of each key wins, deletes delete.',
  },
  key: { ...NAMES, description: 'For upsert: the columns of the key.' },
  partitionBy: {
    ...NAMES,
    description: 'Columns by which a new table is parted; of one that is there, what it must be parted by.',
  },
  create: {
    type: 'boolean',
    description: 'Make the table where it is missing. Default: true with a schema.',
  },
  properties: {
    type: 'object',
    additionalProperties: { type: 'string' },
    description: 'Table properties of a new table, such as delta.enableChangeDataFeed: "true".',
  },
  evolution: {
    enum: ['fail', 'add-nullable'],
    default: 'fail',
    description: 'What to do about columns of the schema that the table lacks. Types are never changed.',
  },
  compression: {
    enum: ['snappy', 'zstd', 'gzip', 'none'],
    default: 'snappy',
    description: 'Of data files. zstd needs Node 22.15.',
  },
  targetFileBytes: bytes(128 * MEBIBYTE, 'A data file ends when it has about so many bytes.'),
  rowGroupBytes: bytes(8 * MEBIBYTE, 'Rows are gathered up to about so many bytes before they are encoded.'),
} as const satisfies Record<Exclude<keyof DeltaSinkOptions, 'store'>, OptionSchema>;

const SOURCE_OPTIONS = {
  ...PLACE,
  schema: { ...COLUMNS_SCHEMA, description: 'Which columns to read, as the table has them. Default: all.' },
  changelog: {
    enum: ['append', 'upsert', 'retract'],
    default: 'append',
    description:
      'append: another version than one that adds rows stops the pipeline. retract, or upsert for a sink with the key of the table: rows also go.',
  },
  after: {
    type: 'integer',
    minimum: -1,
    description:
      'A first run begins with the changes behind this version; -1 for all. Default: with the rows that the table has now.',
  },
  follow: {
    type: 'boolean',
    default: false,
    description: 'Whether to wait for more at the end of the log.',
  },
  pollMs: {
    type: 'integer',
    minimum: 1,
    default: 1_000,
    description: 'With follow: milliseconds between two looks behind the end.',
  },
  name: { type: 'string', minLength: 1, default: '0', description: 'Name of the partition.' },
} as const satisfies Record<Exclude<keyof DeltaSourceOptions, 'store'>, OptionSchema>;

function bytes(otherwise: number, description: string) {
  return {
    type: 'integer',
    minimum: MEBIBYTE,
    maximum: 1024 * MEBIBYTE,
    default: otherwise,
    description,
  } as const;
}

/** Relative paths start at the file of configuration; columns become a schema. */
function withPlaceAndSchema({ schema, folder, ...others }: ConfiguredOptions, base: string): object {
  return {
    ...others,
    ...(typeof folder === 'string' ? { folder: resolve(base, folder) } : {}),
    ...(schema === undefined ? {} : { schema: rowSchemaOf(schema) }),
  };
}

export const eosPackage: EosPackage = {
  sources: {
    delta: {
      summary: 'A Delta table: its rows, and then what every version does to them',
      options: { properties: SOURCE_OPTIONS },
      create: (options, { folder }) =>
        // Checked against the schema above, which has the names and types of these options.
        deltaSource(withPlaceAndSchema(options, folder) as DeltaSourceOptions),
    },
  },
  sinks: {
    delta: {
      summary: 'A Delta table, in a bucket or on a disk: rows and position in one version',
      options: { properties: OPTIONS },
      create: (options, { folder }) =>
        // As above.
        deltaSink(withPlaceAndSchema(options, folder) as DeltaSinkOptions),
    },
  },
};
