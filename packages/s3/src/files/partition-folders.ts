/** Folders such as `date=2026-01-31/city=S%C3%A3o%20Paulo/`, by Hive's convention, which DuckDB, Spark and pyarrow read. */
import { EosError, jsonWriter, rowError, shownValue, type ChangeBatch } from '@eos/core';
import type { FileSettings, PartitionValues } from './settings.js';

/** What Hive writes for null. */
const NULL_FOLDER = '__HIVE_DEFAULT_PARTITION__';

/** A folder and what all rows in it have in common. */
export interface Folder {
  /** Empty, or ends in `/`. */
  readonly path: string;
  readonly values: PartitionValues;
}

/** Rows of a batch that go to one folder, in their order. */
export interface FolderBatch {
  readonly folder: Folder;
  readonly batch: ChangeBatch<unknown>;
}

/** A function that says where the rows of a batch go. @throws EOS_ROW for a value that makes no folder */
export function folderBatches(
  settings: FileSettings,
): (batch: ChangeBatch<unknown>) => readonly FolderBatch[] {
  const { partitionColumns, partitionOf } = settings;
  if (partitionColumns.length === 0 && partitionOf === undefined) {
    const folder: Folder = { path: '', values: {} };
    return (batch) => [{ folder, batch }];
  }
  const valuesOf = partitionOf === undefined ? valuesOfColumns(settings) : valuesOfFunction(partitionOf);
  return (batch) => grouped(batch, valuesOf);
}

type ValuesOf = (batch: ChangeBatch<unknown>, index: number) => PartitionValues;

function valuesOfColumns({ schema, partitionColumns }: FileSettings): ValuesOf {
  const columns = partitionColumns.map((name) => {
    const column = schema.columns[name];
    if (column === undefined) throw new EosError('EOS_CONFIG', `the schema has no column ${name}`);
    return { name, isNullable: column.isNullable, write: jsonWriter(column.type) };
  });
  return (batch, index) => {
    const row = batch.rows[index] as Readonly<Record<string, unknown>>;
    const values: Record<string, string | null> = {};
    for (const { name, isNullable, write } of columns) {
      const value = row[name];
      if ((value === null || value === undefined) && isNullable) {
        values[name] = null;
        continue;
      }
      const text = value === null || value === undefined ? undefined : write(value);
      if (text === undefined)
        throw rowError(batch, index, `column ${name}: ${shownValue(value)} makes no folder`, name);
      // JSON of a text is its text in quotes; of a number or boolean, itself.
      values[name] = typeof value === 'string' ? value : text.replaceAll('"', '');
    }
    return values;
  };
}

function valuesOfFunction(partitionOf: (row: unknown) => PartitionValues): ValuesOf {
  return (batch, index) => {
    const values: unknown = partitionOf(batch.rows[index]);
    if (isValues(values)) return values;
    throw rowError(
      batch,
      index,
      `partitionBy returned ${shownValue(values)}, not an object of texts and nulls`,
    );
  };
}

function isValues(values: unknown): values is PartitionValues {
  return (
    typeof values === 'object' &&
    values !== null &&
    Object.values(values).every(
      (value) => value === null || (typeof value === 'string' && !/\p{Surrogate}/u.test(value)),
    )
  );
}

/** One pass: rows that follow one another mostly go to the same folder. */
function grouped(batch: ChangeBatch<unknown>, valuesOf: ValuesOf): readonly FolderBatch[] {
  const groups = new Map<string, { readonly folder: Folder; readonly rows: number[] }>();
  for (let index = 0; index < batch.rows.length; index += 1) {
    const values = valuesOf(batch, index);
    const path = folderPath(values);
    const group = groups.get(path);
    if (group === undefined) groups.set(path, { folder: { path, values }, rows: [index] });
    else group.rows.push(index);
  }
  return [...groups.values()].map(({ folder, rows }) => ({ folder, batch: chosen(batch, rows) }));
}

function chosen(
  { rows, ops, offsets, partition }: ChangeBatch<unknown>,
  indexes: readonly number[],
): ChangeBatch<unknown> {
  return {
    partition,
    rows: indexes.map((index) => rows[index]),
    ...(ops === undefined ? {} : { ops: Uint8Array.from(indexes, (index) => ops[index] ?? 0) }),
    ...(offsets === undefined
      ? {}
      : { offsets: BigInt64Array.from(indexes, (index) => offsets[index] ?? 0n) }),
  };
}

function folderPath(values: PartitionValues): string {
  let path = '';
  for (const [name, value] of Object.entries(values)) path += `${encoded(name)}=${folderName(value)}/`;
  return path;
}

function folderName(value: string | null): string {
  if (value === null) return NULL_FOLDER;
  const text = encoded(value);
  // A text that reads like the name for null is none.
  return text === NULL_FOLDER ? `%5F${text.slice(1)}` : text;
}

/** No character that a file system or a URL gives a meaning to. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
