import { EosError, type Columns, type RowSchema } from '@eos/core';
import { storePlace, type StoreOptions, type StorePlace } from '@eos/object-store/place';
import type { Compression } from '@eos/parquet';
import type { FileSettings } from './files/data-file.js';
import type { TablePlace } from './log/paths.js';
import { deltaSchemaOf } from './schema/eos-columns.js';

export type Mode = 'append' | 'upsert';
export type Evolution = 'fail' | 'add-nullable';

/** Where the table is: exactly one of `bucket`, `folder` and `store`, and the table's folder in there. */
export interface DeltaPlaceOptions extends StoreOptions {
  /** The folder of the table, such as `tables/flights`. Default: `folder` itself, or the root of the bucket or store. */
  readonly path?: string;
}

export interface DeltaSinkOptions<C extends Columns = Columns> extends DeltaPlaceOptions {
  /** Names and types of the columns. Absent: those of the table, which must be there. */
  readonly schema?: RowSchema<C>;
  /** `append` (default): every row is added. `upsert`: the last change of each `key` wins, deletes delete. */
  readonly mode?: Mode;
  /** For `upsert`: the columns of the key. */
  readonly key?: readonly string[];
  /** Columns by which a table that is made is parted; of one that is there, what it must be parted by. */
  readonly partitionBy?: readonly string[];
  /** Whether a table that is not there is made. Default true, with a `schema`. */
  readonly create?: boolean;
  /**
   * Table properties of a table that is made, such as `delta.enableChangeDataFeed`. Default: a checkpoint every 100 commits
   * (`delta.checkpointInterval`), since a pipeline commits often.
   */
  readonly properties?: Readonly<Record<string, string>>;
  /**
   * What to do about columns of `schema` that the table lacks. `fail` (default): EOS_SCHEMA. `add-nullable`: they are added when a session
   * begins. Types are never changed.
   */
  readonly evolution?: Evolution;
  /** Of data files. Default `snappy`, which every reader knows. */
  readonly compression?: Compression;
  /** A data file ends when it has about so many bytes, 1 MiB to 1 GiB. Default 128 MiB. */
  readonly targetFileBytes?: number;
  /** Rows are gathered up to about so many bytes before they are encoded, 1 MiB to 1 GiB. Default 8 MiB. */
  readonly rowGroupBytes?: number;
}

/** A table that is not opened yet. */
export interface TableLocation {
  readonly store: StorePlace;
  readonly place: TablePlace;
  /** For messages. Holds no secret. */
  readonly description: string;
}

/** The options, checked, with their defaults. */
export interface Settings {
  readonly location: TableLocation;
  readonly schema: RowSchema | undefined;
  readonly mode: Mode;
  readonly key: readonly string[];
  readonly partitionBy: readonly string[] | undefined;
  readonly create: boolean;
  readonly properties: Readonly<Record<string, string>>;
  readonly evolution: Evolution;
  readonly files: FileSettings;
}

const MIB = 1_048_576;

/** @throws EOS_CONFIG, with the name of the option */
export function checkOptions(options: DeltaSinkOptions): Settings {
  const { schema, properties = {} } = options;
  const location = tableLocation(options);
  if (schema !== undefined) {
    if (!isSchema(schema)) fail('schema', 'must be what rowSchema of @eos/core makes');
    deltaSchemaOf(schema);
  }
  const mode = choice(options, 'mode', ['append', 'upsert']);
  const evolution = choice(options, 'evolution', ['fail', 'add-nullable']);
  if (evolution !== 'fail' && schema === undefined)
    fail('evolution', 'needs a schema to know the columns of');
  const create: unknown = options.create ?? schema !== undefined;
  if (typeof create !== 'boolean') fail('create', 'must be true or false');
  if (create && schema === undefined) fail('create', 'needs a schema to know the columns of');
  return {
    location,
    schema,
    mode,
    key: checkKey(options, mode),
    partitionBy: checkPartitionBy(options),
    create,
    properties: checkProperties(properties),
    evolution,
    files: {
      compression: choice(options, 'compression', ['snappy', 'zstd', 'gzip', 'none']),
      targetFileBytes: size(options, 'targetFileBytes', 128 * MIB),
      rowGroupBytes: size(options, 'rowGroupBytes', 8 * MIB),
    },
  };
}

function isSchema(schema: unknown): schema is RowSchema {
  return typeof schema === 'object' && schema !== null && 'columns' in schema && 'names' in schema;
}

/** @throws EOS_CONFIG, with the name of the option */
export function tableLocation(options: DeltaPlaceOptions): TableLocation {
  const store = storePlace(options);
  const prefix = prefixOf(options.path);
  const description = `${store.description}${prefix === '' ? '' : `, ${prefix.slice(0, -1)}`}`;
  return { store, place: { prefix }, description };
}

/** Empty, or ends in `/`. */
function prefixOf(path: unknown = ''): string {
  if (typeof path !== 'string') return fail('path', 'must be a text');
  const trimmed = path.replace(/\/+$/, '');
  if (trimmed === '') return '';
  if (/(^|\/)\.{0,2}(\/|$)/.test(trimmed)) return fail('path', 'has a segment that is empty, "." or ".."');
  return `${trimmed}/`;
}

function checkKey(options: DeltaSinkOptions, mode: Mode): readonly string[] {
  const key = names(options, 'key');
  if (mode === 'append') {
    if (key !== undefined) fail('key', `is for mode: 'upsert'`);
    return [];
  }
  if (key === undefined || key.length === 0)
    return fail('key', `mode: 'upsert' needs the columns of the key`);
  return key;
}

function checkPartitionBy(options: DeltaSinkOptions): readonly string[] | undefined {
  const columns = names(options, 'partitionBy');
  if (columns === undefined) return undefined;
  const { schema } = options;
  for (const name of columns) {
    const kind = schema?.columns[name]?.type.kind;
    if (kind === 'json' || kind === 'bytes')
      fail('partitionBy', `names ${JSON.stringify(name)}, a column of ${kind}`);
  }
  if (schema !== undefined && columns.length >= schema.names.length)
    fail('partitionBy', 'must leave a column for the files');
  return columns;
}

function names(options: DeltaSinkOptions, option: 'key' | 'partitionBy'): readonly string[] | undefined {
  const list: unknown = options[option];
  if (list === undefined) return undefined;
  if (!Array.isArray(list) || !list.every((name) => typeof name === 'string'))
    return fail(option, 'must be a list of column names');
  if (new Set(list).size < list.length) fail(option, 'names a column twice');
  const unknown = list.find(
    (name) => options.schema !== undefined && options.schema.columns[name] === undefined,
  );
  if (unknown !== undefined) fail(option, `names ${JSON.stringify(unknown)}, which schema lacks`);
  return list;
}

function checkProperties(properties: unknown): Readonly<Record<string, string>> {
  const isMap = typeof properties === 'object' && properties !== null && !Array.isArray(properties);
  if (!isMap) return fail('properties', 'must be texts by name');
  for (const [name, value] of Object.entries(properties))
    if (typeof value !== 'string')
      fail('properties', `${JSON.stringify(name)} must be a text, such as 'true'`);
  return { 'delta.checkpointInterval': '100', ...properties };
}

/** One of some words; the first where nothing is given. */
function choice<Word extends string>(
  options: DeltaSinkOptions,
  option: 'mode' | 'evolution' | 'compression',
  words: readonly [Word, ...Word[]],
): Word {
  const given: unknown = options[option] ?? words[0];
  return words.find((word) => word === given) ?? fail(option, `must be '${words.join(`' or '`)}'`);
}

function size(
  options: DeltaSinkOptions,
  option: 'targetFileBytes' | 'rowGroupBytes',
  otherwise: number,
): number {
  const given: unknown = options[option] ?? otherwise;
  const fits = typeof given === 'number' && Number.isInteger(given) && given >= MIB && given <= 1_024 * MIB;
  return fits ? given : fail(option, 'must be a whole number of bytes, 1 MiB to 1 GiB');
}

function fail(option: keyof DeltaSinkOptions, problem: string): never {
  throw new EosError('EOS_CONFIG', `${option}: ${problem}`, { details: { option } });
}
