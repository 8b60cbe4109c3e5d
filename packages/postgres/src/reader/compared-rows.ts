/** Rows of the source as the lines that COPY TO would show of them, were they in the table. */
import { isEosError, isRetraction, type ChangeBatch, type EncodedRows } from '@eos/core';
import type { ComparedColumn } from './compared-columns.js';
import { field, fieldsOf, NEWLINE, type Fields } from '../copy/copy-text.js';
import { serverForms, type ServerForms } from './server-forms.js';
import type { Link } from '../connection/connection.js';
import { refuse } from '../copy/refuse.js';
import { HEAD_BYTES, TextBuffer } from '../copy/text-buffer.js';
import type { LetterFinder } from '../bad-rows/waiting-letters.js';
import { NULL, type ColumnEncoder } from '../copy/value-text.js';

type Canonical = (text: string) => string;

/** How the lines of one table are made. */
export interface LineLayout {
  /** In front of every line. */
  readonly prefix: string;
  /** Those of the key first. */
  readonly columns: readonly ComparedColumn[];
  readonly keyColumns: number;
  /** Behind the key. */
  readonly padding: string;
}

export interface RowsEncoderOptions {
  /** One for each table. */
  readonly layouts: readonly LineLayout[];
  /** The place of the row's table among them; undefined for one that has none. Absent: there is one table. */
  readonly tableOf?: (row: unknown) => number | undefined;
  /** Whether a delete brings no more than its key for sure. */
  readonly isUpsert: boolean;
  /** A connection for what only the server knows. */
  readonly link: () => Promise<Link>;
  /** Makes what finds rows that were set aside. */
  readonly letters: (() => LetterFinder) | undefined;
}

interface LineEncoder extends Omit<LineLayout, 'columns'> {
  readonly encoders: readonly ColumnEncoder[];
  readonly asked: readonly AskedColumn[];
}

/** A column whose values the server has to be asked about. */
interface AskedColumn {
  readonly encoder: ColumnEncoder;
  readonly forms: ServerForms;
}

export type BatchEncoder = (batch: ChangeBatch<unknown>) => Promise<EncodedRows>;

/** @returns a maker of encoders, one for each reading of the source */
export function rowsEncoder(options: RowsEncoderOptions): () => BatchEncoder {
  const lines = options.layouts.map((layout) => lineEncoder(layout, options.link));
  return () => batchEncoder(options, lines, options.letters?.());
}

function batchEncoder(
  { tableOf, isUpsert }: RowsEncoderOptions,
  lines: readonly LineEncoder[],
  isLetter: LetterFinder | undefined,
): BatchEncoder {
  return async (batch) => {
    const { rows, ops } = batch;
    const tables = tableOf === undefined ? undefined : rows.map((row) => lines[tableOf(row) ?? -1]);
    for (const line of lines) {
      if (line.asked.length === 0) continue;
      await ask(line, tables === undefined ? rows : rows.filter((_, index) => tables[index] === line));
    }
    const buffer = new TextBuffer();
    const leftOut: number[] = [];
    let deadLetters = 0;
    for (let index = 0; index < rows.length; index++) {
      if (isLetter?.(batch, index) === true) {
        leftOut.push(index);
        deadLetters++;
        continue;
      }
      const line = tables === undefined ? lines[0] : tables[index];
      const text = line && lineOf(line, rows[index], isUpsert && isRetraction(ops?.[index] ?? 0));
      if (text === undefined) leftOut.push(index);
      else {
        buffer.add(text);
        buffer.addByte(NEWLINE);
      }
    }
    return { lines: buffer.take().subarray(HEAD_BYTES), leftOut, deadLetters };
  };
}

function lineEncoder({ columns, ...layout }: LineLayout, link: () => Promise<Link>): LineEncoder {
  const asked: AskedColumn[] = [];
  const encoders = columns.map(({ encoder, canonical, sqlType }): ColumnEncoder => {
    if (canonical !== undefined) return withForm(encoder, canonical);
    const forms = serverForms(link, sqlType);
    asked.push({ encoder, forms });
    return withForm(encoder, (text) => forms.of(text) ?? refuse(`not of type ${sqlType}`));
  });
  return { ...layout, encoders, asked };
}

function withForm(encoder: ColumnEncoder, form: Canonical): ColumnEncoder {
  return { ...encoder, encode: (value) => form(encoder.encode(value)) };
}

async function ask({ asked }: LineEncoder, rows: readonly unknown[]): Promise<void> {
  for (const { encoder, forms } of asked) {
    const fields = new Set<string>();
    for (const row of rows) {
      const text = unlessRefused(fieldOf, encoder, row);
      if (text !== undefined && text !== NULL) fields.add(text);
    }
    await forms.ask(fields);
  }
}

function fieldOf(encoder: ColumnEncoder, row: unknown): string {
  return field(encoder, fieldsOf(row)[encoder.name]);
}

/** Undefined for a row that the sink would refuse. Of a delete only the key is looked at; all else is null. */
function lineOf(line: LineEncoder, row: unknown, isDelete: boolean): string | undefined {
  return unlessRefused(isDelete ? keyText : rowText, line, row);
}

function rowText(line: LineEncoder, row: unknown): string {
  return textOf(line, fieldsOf(row), line.encoders.length);
}

function keyText(line: LineEncoder, row: unknown): string {
  return textOf(line, fieldsOf(row), line.keyColumns);
}

function textOf(
  { prefix, encoders, keyColumns, padding }: LineEncoder,
  fields: Fields,
  known: number,
): string {
  let text = prefix;
  let index = 0;
  for (const encoder of encoders) {
    if (index > 0) text += '\t';
    text += index < known ? field(encoder, fields[encoder.name]) : NULL;
    index++;
    if (index === keyColumns) text += padding;
  }
  return text;
}

function unlessRefused<By>(text: (by: By, row: unknown) => string, by: By, row: unknown): string | undefined {
  try {
    return text(by, row);
  } catch (error) {
    if (isEosError(error, 'EOS_ROW')) return undefined;
    throw error;
  }
}
