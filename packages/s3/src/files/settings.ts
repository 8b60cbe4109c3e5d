/** How data files are written: the options, checked. */
import { EosError, rowSchema, type Column, type Columns, type RowInput, type RowSchema } from '@eos/core';
import { createZstd } from './compression.js';

export type FileFormat = 'ndjson' | 'csv' | 'parquet';
export type FileCompression = 'none' | 'gzip' | 'zstd' | 'snappy';

/** When a file of a transaction ends and the next begins. Every transaction ends its files, whatever stands here. */
export interface RollOptions {
  /** After so many rows. Default: never. */
  readonly rows?: number;
  /** After about so many bytes, as stored. Default 256 MiB. */
  readonly bytes?: number;
  /** So many milliseconds after its first row, seen when rows come. Default: never. */
  readonly milliseconds?: number;
}

/** Values of partition columns by name: what a function that partitions returns. */
export type PartitionValues = Readonly<Record<string, string | null>>;

export interface FileOptions<C extends Columns = Columns> {
  /** Default `ndjson`. */
  readonly format?: FileFormat;
  /** `none` (default of ndjson and csv), `gzip`, `zstd` (Node 22.15 or later); `snappy` (default of parquet) is for parquet only. */
  readonly compression?: FileCompression;
  /**
   * Folders such as `date=2026-01-31/`, by columns, which stay in the files too, or by a function of the row. For `mode: 'upsert'` only by
   * columns of the key, so that all changes of a key lie in one folder.
   */
  readonly partitionBy?: readonly string[] | ((row: RowInput<RowSchema<C>>) => PartitionValues);
  readonly roll?: RollOptions;
  /** With `format: 'parquet'`: columns that get a Bloom filter, by which a reader skips files that lack a value. */
  readonly bloomFilters?: readonly string[];
}

/** The options, checked, with their defaults. */
export interface FileSettings {
  readonly schema: RowSchema;
  readonly format: FileFormat;
  readonly compression: FileCompression;
  /** Of `mode: 'upsert'`: the files then hold a changelog, and their first column is {@link OP_COLUMN}. */
  readonly key: readonly string[] | undefined;
  readonly partitionColumns: readonly string[];
  readonly partitionOf: ((row: unknown) => PartitionValues) | undefined;
  readonly roll: Required<RollOptions>;
  readonly bloomFilters: readonly string[];
}

/** The columns of a changelog's rows as files hold them: a change that takes a row away may bring its key only. */
export function changeColumns(schema: RowSchema, key: readonly string[]): RowSchema {
  const columns = Object.entries(schema.columns).map(([name, column]): [string, Column] => [
    name,
    key.includes(name) ? column : column.nullable(),
  ]);
  return rowSchema(Object.fromEntries(columns));
}

/** The column that says what a row of a changelog is: `+I`, `-U`, `+U` or `-D`. */
export const OP_COLUMN = '_op';

const MEBIBYTE = 2 ** 20;
const COMPRESSIONS: Readonly<Record<FileFormat, readonly FileCompression[]>> = {
  ndjson: ['none', 'gzip', 'zstd'],
  csv: ['none', 'gzip', 'zstd'],
  parquet: ['snappy', 'none', 'gzip', 'zstd'],
};

/**
 * @param mode with `upsert`, files hold a changelog
 * @throws EOS_CONFIG with the option's name
 */
export function checkFileOptions(
  options: FileOptions & {
    readonly schema: RowSchema;
    readonly mode?: 'append' | 'upsert';
    readonly key?: readonly string[];
  },
): FileSettings {
  const { schema, mode = 'append', key = [], partitionBy = [], bloomFilters = [] } = options;
  const format = options.format ?? 'ndjson';
  if (!Object.hasOwn(COMPRESSIONS, format)) fail('format', `must be 'ndjson', 'csv' or 'parquet'`);
  const allowed = COMPRESSIONS[format];
  const compression = options.compression ?? allowed[0] ?? 'none';
  if (!allowed.includes(compression))
    fail('compression', `of ${format} must be one of ${allowed.join(', ')}, not ${compression}`);
  if (compression === 'zstd' && createZstd === undefined)
    fail('compression', `zstd needs Node 22.15 or later, and this is ${process.version}: use gzip`);
  const hasOps = mode === 'upsert';
  if (hasOps && schema.columns[OP_COLUMN] !== undefined)
    fail('schema', `has a column ${OP_COLUMN}, which a changelog needs for itself`);
  if (
    format === 'csv' &&
    schema.names.length === 1 &&
    !hasOps &&
    schema.columns[schema.names[0] ?? '']?.isNullable
  )
    fail('format', 'csv cannot hold the nulls of a single column: a line would be empty');
  return {
    schema,
    format,
    compression,
    key: hasOps ? key : undefined,
    ...checkPartitioning(schema, partitionBy, hasOps ? key : undefined),
    roll: checkRoll(options.roll ?? {}),
    bloomFilters: checkColumns(
      'bloomFilters',
      schema,
      format === 'parquet' ? bloomFilters : none(bloomFilters),
    ),
  };
}

function none(bloomFilters: readonly string[]): readonly string[] {
  return bloomFilters.length === 0 ? [] : fail('bloomFilters', `are for format: 'parquet'`);
}

function checkPartitioning(
  schema: RowSchema,
  partitionBy: NonNullable<FileOptions['partitionBy']>,
  key: readonly string[] | undefined,
): Pick<FileSettings, 'partitionColumns' | 'partitionOf'> {
  if (typeof partitionBy === 'function') {
    if (key !== undefined)
      fail('partitionBy', `must be columns of the key for mode: 'upsert', not a function`);
    // Its rows are those of the schema: the sink's own type says so.
    return { partitionColumns: [], partitionOf: partitionBy as (row: unknown) => PartitionValues };
  }
  const partitionColumns = checkColumns('partitionBy', schema, partitionBy);
  const apart = partitionColumns.find((name) => key?.includes(name) === false);
  if (apart !== undefined)
    fail('partitionBy', `names ${apart}, which is not in the key: changes of one key must lie in one folder`);
  for (const name of partitionColumns) {
    const kind = schema.columns[name]?.type.kind;
    if (kind === 'bytes' || kind === 'json' || kind === 'float64')
      fail('partitionBy', `names ${name}, and a column of ${kind} makes no folders`);
  }
  return { partitionColumns, partitionOf: undefined };
}

function checkColumns(
  option: 'partitionBy' | 'bloomFilters',
  schema: RowSchema,
  names: unknown,
): readonly string[] {
  if (!Array.isArray(names)) return fail(option, 'must be a list of column names');
  if (new Set(names).size < names.length) fail(option, 'names a column twice');
  return names.map((name: unknown) =>
    typeof name === 'string' && schema.columns[name] !== undefined
      ? name
      : fail(option, `names ${JSON.stringify(name)}, which schema lacks`),
  );
}

function checkRoll({ rows, bytes, milliseconds }: RollOptions): Required<RollOptions> {
  const count = (name: keyof RollOptions, value: number | undefined, otherwise: number) => {
    if (value === undefined) return otherwise;
    return Number.isSafeInteger(value) && value >= 1
      ? value
      : fail('roll', `${name} must be a whole number of at least 1, not ${String(value)}`);
  };
  return {
    rows: count('rows', rows, Infinity),
    bytes: count('bytes', bytes, 256 * MEBIBYTE),
    milliseconds: count('milliseconds', milliseconds, Infinity),
  };
}

function fail(option: keyof FileOptions | 'schema', problem: string): never {
  throw new EosError('EOS_CONFIG', `${option}: ${problem}`, { details: { option } });
}
