import { EosError, type Columns, type RowSchema } from '@eos/core';
import { storePlace, type StoreOptions as PlaceOptions, type StorePlace } from '@eos/object-store/place';
import { checkFileOptions, type FileOptions, type FileSettings } from './files/settings.js';
import { checkPrefix } from './log/keys.js';

export type Mode = 'append' | 'upsert';
export type Visibility = 'log' | 'listing';
export type Evolution = 'fail' | 'add-nullable';

/** Where the table is: exactly one of `bucket`, `folder` and `store`, and the folder in there. */
export interface StoreOptions extends PlaceOptions {
  /** The folder of the table in there, such as `tables/flights`. Default: the store's own root. */
  readonly prefix?: string;
}

export interface S3SinkOptions<C extends Columns = Columns> extends StoreOptions, FileOptions<C> {
  /** Names and types of the columns. */
  readonly schema: RowSchema<C>;
  /**
   * `append` (default): every row is added. `upsert`: a changelog, in order, with the column `_op` (`+I`, `-U`, `+U`, `-D`); the last
   * change of each `key` wins for who reads the table.
   */
  readonly mode?: Mode;
  /** For `upsert`: the columns of the key. */
  readonly key?: readonly string[];
  /**
   * When data files become visible. `log` (default): when the log names them; they are there before, and who lists the folder sees files that
   * may never be committed. `listing`: only after their commit, so that a tool that lists the folder never sees an uncommitted or a
   * doubled file; a committed one may appear late. Append only; no compaction.
   */
  readonly visibility?: Visibility;
  /**
   * What to do about columns of `schema` that the table lacks. `fail` (default): EOS_SCHEMA. `add-nullable`: they are added when a session
   * begins. Types are never changed.
   */
  readonly evolution?: Evolution;
}

/** The options, checked, with their defaults. */
export interface Settings {
  readonly place: StorePlace;
  /** Of the table: empty, or ends in `/`. */
  readonly prefix: string;
  readonly schema: RowSchema;
  readonly mode: Mode;
  readonly key: readonly string[];
  readonly visibility: Visibility;
  readonly evolution: Evolution;
  readonly files: FileSettings;
}

/** @throws EOS_CONFIG, with the name of the option */
export function checkOptions(options: S3SinkOptions): Settings {
  const { schema } = options;
  if (!isSchema(schema)) fail('schema', 'must be what rowSchema of @eos/core makes');
  const mode = choice(options, 'mode', ['append', 'upsert']);
  const visibility = choice(options, 'visibility', ['log', 'listing']);
  if (visibility === 'listing' && mode !== 'append')
    fail('visibility', `'listing' holds inserts only: who lists files does not fold them by key`);
  const key = checkKey(options, mode);
  return {
    place: storePlace(options),
    prefix: checkPrefix(options.prefix),
    schema,
    mode,
    key,
    files: checkFileOptions({ ...options, mode, key }),
    visibility,
    evolution: choice(options, 'evolution', ['fail', 'add-nullable']),
  };
}

function isSchema(schema: unknown): schema is RowSchema {
  return typeof schema === 'object' && schema !== null && 'columns' in schema && 'names' in schema;
}

function checkKey({ key = [], schema }: S3SinkOptions, mode: Mode): readonly string[] {
  const columns: unknown = key;
  if (!Array.isArray(columns)) fail('key', 'must be a list of column names');
  if (mode === 'append') {
    if (columns.length > 0) fail('key', `is for mode: 'upsert'`);
    return [];
  }
  if (columns.length === 0) fail('key', `is needed for mode: 'upsert'`);
  if (new Set(columns).size < columns.length) fail('key', 'names a column twice');
  return columns.map((name: unknown) => {
    const column = typeof name === 'string' ? schema.columns[name] : undefined;
    if (typeof name !== 'string' || column === undefined)
      return fail('key', `names ${JSON.stringify(name)}, which schema lacks`);
    return column.isNullable ? fail('key', `names ${JSON.stringify(name)}, which may be null`) : name;
  });
}

/** One of some words; the first where nothing is given. */
function choice<Word extends string>(
  options: S3SinkOptions,
  option: 'mode' | 'visibility' | 'evolution',
  words: readonly [Word, ...Word[]],
): Word {
  const given: unknown = options[option] ?? words[0];
  return words.find((word) => word === given) ?? fail(option, `must be '${words.join(`' or '`)}'`);
}

function fail(option: keyof S3SinkOptions, problem: string): never {
  throw new EosError('EOS_CONFIG', `${option}: ${problem}`, { details: { option } });
}
