/** Rows as the text format of COPY. https://www.postgresql.org/docs/current/sql-copy.html */
import { EosError, messageOf, type Columns, type RowInput, type RowSchema } from '@eos/core';
import { refuse, shown } from './refuse.js';
import { HEAD_BYTES, TextBuffer } from './text-buffer.js';
import { NULL, schemaEncoder, type ColumnEncoder } from './value-text.js';

/** A row, seen as values by column. */
export type Fields = Readonly<Record<string, unknown>>;

/** Writes the rows of one table as COPY text. */
export interface CopyTextEncoder<Row> {
  /** The columns in the order of a line: `COPY t (…) FROM STDIN`. */
  readonly columns: readonly string[];
  /**
   * One row as one line, without its newline.
   * @throws EOS_ROW with the column, where a value does not fit it
   */
  readonly line: (row: Row) => string;
  /**
   * The rows from `start` on, as many as make about 64 KiB: the same lines at less than half the price.
   * @throws EOS_ROW with the column, where a value does not fit it
   */
  readonly block: (rows: readonly Row[], start: number, end?: number) => CopyTextBlock;
}

export interface CopyTextBlock {
  /** Whole lines, in UTF-8. */
  readonly bytes: Buffer;
  /** The first row that is not in it. */
  readonly next: number;
}

/**
 * The text of COPY for rows of a schema, as `postgresSink` sends it.
 * @example
 * const { columns, line } = copyTextEncoder(rowSchema({ id: t.int64(), note: t.string().nullable() }));
 * line({ id: 1n, note: 'two\nlines' }); // 1, a tab, and the note with its newline escaped
 */
export function copyTextEncoder<C extends Columns>(
  schema: RowSchema<C>,
): CopyTextEncoder<RowInput<RowSchema<C>>> {
  const declared: Columns = schema.columns;
  const columns = schema.names.flatMap((name) =>
    declared[name] === undefined ? [] : [schemaEncoder(name, declared[name])],
  );
  const add = rowAdder(columns);
  return {
    columns: columns.map(({ name }) => name),
    line: lineMaker(columns),
    block(rows, start, end = rows.length) {
      const buffer = new TextBuffer();
      let next = start;
      while (next < end && !buffer.isFull) {
        add(buffer, rows[next]);
        buffer.addByte(NEWLINE);
        next += 1;
      }
      return { bytes: buffer.take().subarray(HEAD_BYTES), next };
    },
  };
}

const TAB = 0x09;
export const NEWLINE = 0x0a;

/** A function that adds the fields of a row, with tabs between them. */
export function rowAdder(columns: readonly ColumnEncoder[]): (buffer: TextBuffer, row: unknown) => void {
  const [first, ...rest] = columns;
  if (first === undefined) throw new EosError('EOS_CONFIG', 'a row needs at least one column');
  return (buffer, row) => {
    const fields = fieldsOf(row);
    buffer.add(field(first, fields[first.name]));
    for (const column of rest) {
      buffer.addByte(TAB);
      buffer.add(field(column, fields[column.name]));
    }
  };
}

/** A function that makes the same as text. */
export function lineMaker(columns: readonly ColumnEncoder[]): (row: unknown) => string {
  const [first, ...rest] = columns;
  if (first === undefined) throw new EosError('EOS_CONFIG', 'a row needs at least one column');
  return (row) => {
    const fields = fieldsOf(row);
    let line = field(first, fields[first.name]);
    for (const column of rest) line += `\t${field(column, fields[column.name])}`;
    return line;
  };
}

/** One value; the error of one that does not fit names the column. */
export function field(column: ColumnEncoder, value: unknown): string {
  if (value === null || value === undefined) return column.isNullable ? NULL : nullText(column, value);
  try {
    return column.encode(value);
  } catch (error) {
    throw rowError(column.name, `${messageOf(error)} (${shown(value)})`);
  }
}

/** JSON has a null of its own. */
function nullText({ name, kind }: ColumnEncoder, value: null | undefined): string {
  if (kind === 'json' && value === null) return 'null';
  throw rowError(name, 'null in a column that takes none');
}

function rowError(column: string, reason: string): EosError {
  return new EosError('EOS_ROW', `column ${JSON.stringify(column)}: ${reason}`, { details: { column } });
}

/** @throws EOS_ROW for what is no object */
export function fieldsOf(row: unknown): Fields {
  return isFields(row) ? row : refuse(`a row must be an object, not ${shown(row)}`);
}

function isFields(row: unknown): row is Fields {
  return typeof row === 'object' && row !== null;
}
