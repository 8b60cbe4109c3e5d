/**
 * Reading a destination back, to hold it against its source: what `eos verify` asks of a sink. Rows travel as lines of text, many in
 * one block of bytes, so that comparing a row costs no object.
 *
 * A line has the fields of `columns` in their order, with a tab between them and a newline behind. Within a field backslash, tab,
 * newline and carriage return (and whatever else, as long as it is always the same) are escaped by a backslash; `\N` is null. Two values
 * have the same field if and only if the destination takes them as the same value.
 */
import type { ChangeBatch } from './changes.js';
import type { Positions } from './positions.js';

export interface ReadTableOptions {
  /** Columns that tell rows apart. Default: the key of the sink, else a key that the destination knows of. */
  readonly key?: readonly string[];
}

/** A destination as it is at one moment, however long it is looked at, and whatever is written meanwhile. Read only. */
export interface TableSnapshot {
  /** For messages: `table "public"."flights"`, `3 tables`. */
  readonly description: string;
  /** Every position of the (pipeline, sink), as of the same moment. */
  readonly positions: Positions;
  /** What is compared: the columns that the sink writes, those of the key first. */
  readonly columns: readonly string[];
  /**
   * Of a destination of several tables: the columns of each, by its name, in place of `columns`. The first field of a line is the name of
   * its table, the others are of these columns; one whose name is empty only fills the key up, so that keys are of one length.
   */
  readonly tables?: ReadonlyMap<string, readonly string[]>;
  /** How many fields of a line, from the first, are the key; 0 where none is known. */
  readonly keyColumns: number;
  /**
   * Makes a function that gives the lines which the destination must show for changes: one for each reading of the source, from its
   * start. In `upsert` mode, a delete needs its key only.
   */
  encoder(): (batch: ChangeBatch<unknown>) => Promise<EncodedRows>;
  /** Every row of the destination, as blocks of whole lines in any order. May be called again when the last reading has ended. */
  rows(): AsyncIterable<Uint8Array>;
  /** A field of a column, unescaped, as people read it; `table` only where there are several. Absent: as it is. */
  readonly show?: (column: string, text: string, table?: string) => string;
  close(): Promise<void>;
}

/** The lines of a batch. */
export interface EncodedRows {
  /** A line for each row that was not left out, in their order. */
  readonly lines: Uint8Array;
  /** Indexes, ascending, of rows that the sink does not write: they do not fit their columns, or were set aside. */
  readonly leftOut: readonly number[];
  /** How many of those were set aside as dead letters, and wait. */
  readonly deadLetters: number;
}

const TAB = 0x09;
const BACKSLASH = 0x5c;

/** The fields of one line (without its newline), unescaped; null for null. */
export function lineFields(line: Uint8Array): readonly (string | null)[] {
  const fields: (string | null)[] = [];
  let start = 0;
  for (let at = 0; at <= line.length; at++) {
    if (at < line.length && line[at] !== TAB) continue;
    fields.push(fieldText(line.subarray(start, at)));
    start = at + 1;
  }
  return fields;
}

const ESCAPED: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

function fieldText(field: Uint8Array): string | null {
  const text = Buffer.from(field.buffer, field.byteOffset, field.byteLength).toString();
  if (!field.includes(BACKSLASH)) return text;
  return text === '\\N' ? null : text.replace(/\\(.)/gs, (_, letter: string) => ESCAPED[letter] ?? letter);
}
