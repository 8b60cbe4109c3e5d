/** The sources of this package. */
export { csvSource, type CsvSourceOptions } from './csv-source.js';
export type { CsvOptions } from './csv.js';
export type { Entries, Entry } from './entry-reader.js';
export type { FileSourceOptions } from './file-source.js';
export { iterableSource, type EntriesOptions, type ItemsOptions } from './iterable.js';
export { jsonArraySource, ndjsonSource } from './json-sources.js';
export type { NoSchemaOption, RecordOptions, SchemaOption } from './record-options.js';
export { standardInput, type CsvInputOptions, type NdjsonInputOptions } from './standard-input.js';
// For other packages that read or write texts: values and rows without rounding, and the error of a record that cannot be read.
export { textConverter, type Convert } from './convert.js';
export { plainRows, schemaRows, type RowReader } from './json-rows.js';
export { formatError, type Place } from './records.js';
export type { OpOptions } from './rows.js';
