/** Files of JSON: a value a line, or one array. */
import type { Columns, InferRow, JsonValue, RowSchema } from '../schema.js';
import type { Source } from '../source.js';
import { fileSource, type FileSourceOptions } from './file-source.js';
import { jsonArrayFormat } from './json-array.js';
import { plainRows, schemaRows, type RowReader } from './json-rows.js';
import { ndjsonFormat } from './ndjson.js';
import {
  opOptions,
  type AnySchemaOption,
  type NoSchemaOption,
  type RecordOptions,
  type SchemaOption,
} from './record-options.js';
import type { RecordFormat } from './records.js';

type Options<C extends Columns> = RecordOptions & AnySchemaOption<C>;

/**
 * Files of newline-delimited JSON, one value a line; blank lines are skipped. The offset of a row is the byte where its line
 * starts.
 * @throws EOS_CONFIG; its readers EOS_SOURCE_FORMAT, EOS_SOURCE_CHANGED, EOS_SOURCE_UNAVAILABLE
 * @example
 * const visits = ndjsonSource({ path: 'visits', schema: rowSchema({ id: t.int64(), at: t.timestamp() }) });
 */
export function ndjsonSource<C extends Columns>(
  options: FileSourceOptions & SchemaOption<C>,
): Source<InferRow<RowSchema<C>>>;
export function ndjsonSource(options: FileSourceOptions & NoSchemaOption): Source<JsonValue>;
export function ndjsonSource<C extends Columns>(options: FileSourceOptions & Options<C>): Source<unknown> {
  return fileSource(options, ndjsonFormatOf(options));
}

/**
 * Files that are one JSON array each: its elements are the rows, and their offset the byte where the element starts. An array that
 * does not end is EOS_SOURCE_FORMAT.
 * @throws EOS_CONFIG; its readers EOS_SOURCE_FORMAT, EOS_SOURCE_CHANGED, EOS_SOURCE_UNAVAILABLE
 */
export function jsonArraySource<C extends Columns>(
  options: FileSourceOptions & SchemaOption<C>,
): Source<InferRow<RowSchema<C>>>;
export function jsonArraySource(options: FileSourceOptions & NoSchemaOption): Source<JsonValue>;
export function jsonArraySource<C extends Columns>(options: FileSourceOptions & Options<C>): Source<unknown> {
  return fileSource(options, jsonArrayFormat(rowsOf(options)));
}

export function ndjsonFormatOf<C extends Columns>(options: Options<C>): RecordFormat<unknown> {
  return ndjsonFormat(rowsOf(options), { growing: options.growing ?? false });
}

function rowsOf<C extends Columns>(options: Options<C>): RowReader<unknown> {
  const { schema } = options;
  return schema === undefined ? plainRows(opOptions(options)) : schemaRows(schema, opOptions(options));
}
