/** Rows as lines of text: NDJSON, and CSV by RFC 4180. */
import {
  EosError,
  isRetraction,
  jsonWriter,
  OP_NAMES,
  rowError,
  shownValue,
  type ChangeBatch,
  type JsonWriter,
  type RowSchema,
} from '@eos/core';
import { OP_COLUMN } from './settings.js';

/** Writes rows of one file. */
export interface RowTextEncoder {
  /** What the file begins with. */
  readonly head: string;
  /**
   * The lines of the rows from `start` on, up to `end` or about 64 Ki characters.
   * @throws EOS_ROW with partition, offset and column
   */
  readonly block: (batch: ChangeBatch<unknown>, start: number, end: number) => RowTextBlock;
}

export interface RowTextBlock {
  readonly text: string;
  /** The first row that is not in it. */
  readonly next: number;
}

const BLOCK_CHARACTERS = 65_536;

interface ColumnText {
  readonly name: string;
  readonly kind: string;
  readonly isNullable: boolean;
  /** Whether a change that takes a row away may lack it: it needs its key only. */
  readonly isOptionalInDeletes: boolean;
  /** In front of its value. */
  readonly before: string;
  readonly write: JsonWriter;
}

/**
 * One JSON object a line, with the columns in the order of the schema, null columns as null, and values as `jsonWriter` of core writes
 * them; a changelog begins each with its op.
 * @param key with it, the rows are a changelog
 */
export function ndjsonEncoder(schema: RowSchema, key: readonly string[] | undefined): RowTextEncoder {
  const hasOps = key !== undefined;
  const columns = columnTexts(
    schema,
    key,
    (name, index) => {
      const isFirst = index === 0 && !hasOps;
      return `${isFirst ? '{' : ','}${JSON.stringify(name)}:`;
    },
    jsonWriter,
  );
  const heads = OP_NAMES.map((op) => (hasOps ? `{${JSON.stringify(OP_COLUMN)}:"${op}"` : ''));
  return { head: '', block: blocksOf(columns, heads, 'null', '}\n') };
}

/**
 * A header, then one record a row, ended by CRLF. Null is an empty field, an empty string `""`; values are the texts of
 * `jsonWriter` without their quotes, JSON itself is quoted text, and no bytes are `\x`.
 * @param key with it, the rows are a changelog
 */
export function csvEncoder(schema: RowSchema, key: readonly string[] | undefined): RowTextEncoder {
  const hasOps = key !== undefined;
  const columns = columnTexts(
    schema,
    key,
    (_name, index) => (index === 0 && !hasOps ? '' : ','),
    (type) => csvWriter(type.kind, jsonWriter(type)),
  );
  const names = [...(hasOps ? [OP_COLUMN] : []), ...schema.names].map(quotedWhereNeeded);
  const heads = OP_NAMES.map((op) => (hasOps ? op : ''));
  return { head: `${names.join(',')}\r\n`, block: blocksOf(columns, heads, '', '\r\n') };
}

function columnTexts(
  schema: RowSchema,
  key: readonly string[] | undefined,
  before: (name: string, index: number) => string,
  writer: (type: RowSchema['columns'][string]['type']) => JsonWriter,
): readonly ColumnText[] {
  return schema.names.map((name, index) => {
    const column = schema.columns[name];
    if (column === undefined) throw new EosError('EOS_CONFIG', `the schema has no column ${name}`);
    const { type, isNullable } = column;
    const isOptionalInDeletes = key?.includes(name) === false;
    return {
      name,
      kind: type.kind,
      isNullable,
      isOptionalInDeletes,
      before: before(name, index),
      write: writer(type),
    };
  });
}

function blocksOf(
  columns: readonly ColumnText[],
  heads: readonly string[],
  nullText: string,
  lineEnd: string,
): RowTextEncoder['block'] {
  return (batch, start, end) => {
    const { rows, ops } = batch;
    let text = '';
    let next = start;
    while (next < end && text.length < BLOCK_CHARACTERS) {
      // A row comes from a program: what it has under a column's name is checked, and nothing else is looked at.
      const row = rows[next] as Readonly<Record<string, unknown>>;
      text += heads[ops?.[next] ?? 0] ?? '';
      for (const column of columns) {
        const value = row[column.name];
        if (value === null || value === undefined) {
          if (!column.isNullable && !(column.isOptionalInDeletes && isRetraction(ops?.[next] ?? 0)))
            throw nullError(batch, next, column);
          text += column.before + nullText;
          continue;
        }
        const written = column.write(value);
        if (written === undefined) throw valueError(batch, next, column, value);
        text += column.before + written;
      }
      text += lineEnd;
      next += 1;
    }
    return { text, next };
  };
}

/** The same text without the quotes of JSON, and with those of CSV where it needs them. */
function csvWriter(kind: string, write: JsonWriter): JsonWriter {
  switch (kind) {
    case 'string':
      return (value) => {
        // Refused where UTF-8 cannot hold it.
        if (typeof value !== 'string' || write(value) === undefined) return undefined;
        return value === '' ? '""' : quotedWhereNeeded(value);
      };
    case 'json':
      return (value) => {
        const text = write(value);
        return text === undefined ? undefined : quotedWhereNeeded(text);
      };
    default:
      return (value) => {
        const text = write(value);
        if (text?.startsWith('"') !== true) return text;
        // Of no bytes: an empty field would be null.
        return text === '""' ? '\\x' : text.slice(1, -1);
      };
  }
}

function quotedWhereNeeded(text: string): string {
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function nullError(batch: ChangeBatch<unknown>, index: number, { name }: ColumnText): EosError {
  return rowError(batch, index, `column ${name} is null or missing, and takes none`, name);
}

function valueError(
  batch: ChangeBatch<unknown>,
  index: number,
  { name, kind }: ColumnText,
  value: unknown,
): EosError {
  return rowError(
    batch,
    index,
    `column ${name}: ${shownValue(value)} is no ${kind} that can be kept exactly`,
    name,
  );
}
