/** The options that all sources of text have in common. */
import type { ChangelogMode } from '../changelog.js';
import { EosError } from '../errors.js';
import type { Columns, RowSchema } from '../schema.js';
import type { OpOptions } from './rows.js';

/** What records of any format are read with. */
export interface RecordOptions {
  /**
   * Name of the member or column that holds `+I`, `-U`, `+U` or `-D`. It is taken out of the row and becomes its op. Absent: every
   * row is `+I`.
   */
  readonly op?: string;
  /** Which changes the source carries. Default `retract` with `op`, else `append`. */
  readonly changelog?: ChangelogMode;
  /**
   * Whether the text is still being written: a last record without a newline is then not there yet, and left for a later run.
   * Default false: the text is complete, and its last record needs no newline. Half a record may look like a whole one (`12` of
   * `123`), so set this for every file that is appended to while it is read. Reading ends at the end of the file either way. A JSON array has to
   * be complete.
   */
  readonly growing?: boolean;
  /** The largest record, in bytes. Default 64 MiB. */
  readonly maxRecordBytes?: number;
  /** How much is read at once, in bytes. Default 1 MiB. A batch holds rows of one chunk; memory holds four chunks, or four times the largest record. */
  readonly chunkBytes?: number;
}

/** With it, rows are converted to the values of its columns, exactly or not at all. */
export interface SchemaOption<C extends Columns> {
  readonly schema: RowSchema<C>;
}

/** What all overloads of a source have in common. */
export interface AnySchemaOption<C extends Columns> {
  readonly schema?: RowSchema<C> | undefined;
}

/** Without a schema, rows are what the text says. */
export interface NoSchemaOption {
  readonly schema?: undefined;
}

export function changelogOf(options: RecordOptions): ChangelogMode {
  return options.changelog ?? (options.op === undefined ? 'append' : 'retract');
}

/** A string cannot be longer than this. */
const MAX_TEXT_BYTES = 2 ** 29 - 24;

/** @throws EOS_CONFIG */
export function windowOptions(options: RecordOptions): {
  readonly chunkBytes: number;
  readonly maxRecordBytes: number;
} {
  const { chunkBytes = 2 ** 20, maxRecordBytes = 2 ** 26 } = options;
  for (const [name, bytes] of Object.entries({ chunkBytes, maxRecordBytes })) {
    if (Number.isSafeInteger(bytes) && bytes >= 1 && bytes <= MAX_TEXT_BYTES) continue;
    throw new EosError('EOS_CONFIG', `${name} must be a number of bytes from 1 to ${MAX_TEXT_BYTES}`);
  }
  return { chunkBytes, maxRecordBytes };
}

export function opOptions(options: RecordOptions): OpOptions {
  return { op: options.op, changelog: changelogOf(options) };
}
