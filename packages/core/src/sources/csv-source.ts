/** Files of CSV. */
import type { Columns, InferRow, RowSchema } from '../schema.js';
import type { Source } from '../source.js';
import { textRows, typedRows } from './csv-rows.js';
import { csvFormat, type CsvOptions } from './csv.js';
import { fileSource, type FileSourceOptions } from './file-source.js';
import {
  opOptions,
  type AnySchemaOption,
  type NoSchemaOption,
  type RecordOptions,
  type SchemaOption,
} from './record-options.js';
import type { RecordFormat } from './records.js';

export type CsvSourceOptions = FileSourceOptions & CsvOptions;

type Options<C extends Columns> = RecordOptions & CsvOptions & AnySchemaOption<C>;

/**
 * Files of CSV (RFC 4180), in UTF-8, a byte order mark allowed; lines end with LF or CRLF (a carriage return alone is
 * refused unless it is quoted), and blank ones are skipped where there are several columns. The offset
 * of a row is the byte where its record starts. With a schema, an empty field is null where the column may be; a quoted one is
 * an empty string where the column is of strings. Without, every member of a row is the text of its field.
 * @throws EOS_CONFIG; its readers EOS_SOURCE_FORMAT, EOS_SOURCE_CHANGED, EOS_SOURCE_UNAVAILABLE
 */
export function csvSource<C extends Columns>(
  options: CsvSourceOptions & SchemaOption<C>,
): Source<InferRow<RowSchema<C>>>;
export function csvSource(options: CsvSourceOptions & NoSchemaOption): Source<Record<string, string>>;
export function csvSource<C extends Columns>(options: CsvSourceOptions & Options<C>): Source<unknown> {
  return fileSource(options, csvFormatOf(options));
}

export function csvFormatOf<C extends Columns>(options: Options<C>): RecordFormat<unknown> {
  const { schema, growing = false } = options;
  const ops = opOptions(options);
  return csvFormat<unknown>(
    (names, place) =>
      schema === undefined ? textRows(names, ops, place) : typedRows(schema, names, ops, place),
    ops.op !== undefined,
    { ...options, growing },
  );
}
