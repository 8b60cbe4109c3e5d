/** Rows of the source as the lines that COPY TO would show of them, were they in the table. */
import { isEosError, isRetraction, type ChangeBatch, type EncodedRows } from '@eos/core';
import type { ComparedColumn } from './compared-columns.js';
import { field, fieldsOf, NEWLINE, type Fields } from './copy-text.js';
import { serverForms, type ServerForms } from './server-forms.js';
import type { Link } from './connection.js';
import { refuse } from './refuse.js';
import { HEAD_BYTES, TextBuffer } from './text-buffer.js';
import { NULL, type ColumnEncoder } from './value-text.js';

type Canonical = (text: string) => string;

/** A column whose values the server has to be asked about. */
interface AskedColumn {
  readonly encoder: ColumnEncoder;
  readonly forms: ServerForms;
}

/**
 * @param keyColumns how many leading columns a delete has at least; undefined where every change has the whole row
 * @param link a connection for what only the server knows
 */
export function rowsEncoder(
  columns: readonly ComparedColumn[],
  keyColumns: number | undefined,
  link: () => Promise<Link>,
): (batch: ChangeBatch<unknown>) => Promise<EncodedRows> {
  const asked: AskedColumn[] = [];
  const encoders = columns.map(({ encoder, canonical, sqlType }): ColumnEncoder => {
    if (canonical !== undefined) return withForm(encoder, canonical);
    const forms = serverForms(link, sqlType);
    asked.push({ encoder, forms });
    return withForm(encoder, (text) => forms.of(text) ?? refuse(`not of type ${sqlType}`));
  });
  return async (batch) => {
    for (const column of asked) await column.forms.ask(fieldsToAsk(column, batch));
    const buffer = new TextBuffer();
    const rejected: number[] = [];
    const { rows, ops } = batch;
    for (let index = 0; index < rows.length; index++) {
      const isDelete = keyColumns !== undefined && isRetraction(ops?.[index] ?? 0);
      const line = lineOf(encoders, rows[index], isDelete ? keyColumns : encoders.length);
      if (line === undefined) rejected.push(index);
      else {
        buffer.add(line);
        buffer.addByte(NEWLINE);
      }
    }
    return { lines: buffer.take().subarray(HEAD_BYTES), rejected };
  };
}

function withForm(encoder: ColumnEncoder, form: Canonical): ColumnEncoder {
  return { ...encoder, encode: (value) => form(encoder.encode(value)) };
}

/** Undefined for a row that the sink would refuse. Only the first `known` columns are looked at; the others are null. */
function lineOf(encoders: readonly ColumnEncoder[], row: unknown, known: number): string | undefined {
  try {
    const fields: Fields = fieldsOf(row);
    let line = '';
    for (const [index, encoder] of encoders.entries()) {
      if (index > 0) line += '\t';
      line += index < known ? field(encoder, fields[encoder.name]) : NULL;
    }
    return line;
  } catch (error) {
    if (isEosError(error, 'EOS_ROW')) return undefined;
    throw error;
  }
}

function* fieldsToAsk({ encoder }: AskedColumn, { rows }: ChangeBatch<unknown>): Generator<string> {
  for (const row of rows) {
    const text = lineOf([encoder], row, 1);
    if (text !== undefined && text !== NULL) yield text;
  }
}
