/** Append: one COPY straight into the table, kept open over all batches of a transaction. */
import type { Reject } from '../bad-rows/bad-rows.js';
import { BEGIN } from '../law/begin.js';
import { queueCopy } from '../copy/copy-queue.js';
import type { CopyIn } from '../copy/copy-stream.js';
import { rowAdder } from '../copy/copy-text.js';
import { quoteAll } from '../connection/identifiers.js';
import { segmentedWriters } from '../bad-rows/segmented.js';
import { sendRows, type AddRow } from '../copy/row-sender.js';
import { sentRows } from '../copy/sent-rows.js';
import type { Table } from '../table/table.js';
import { TextBuffer } from '../copy/text-buffer.js';
import type { ColumnEncoder } from '../copy/value-text.js';
import type { Writer, Writers } from './writer.js';

export function appendWriters<Row>(table: Table, columns: readonly ColumnEncoder[]): Writers<Row> {
  const names = quoteAll(columns.map(({ name }) => name));
  // What is deferred is checked with the rows, so that a COMMIT finds nothing to complain about.
  const copy = `COPY ${table.sql} (${names}) FROM STDIN; SET CONSTRAINTS ALL IMMEDIATE`;
  const add = rowAdder(columns);
  return {
    prepare: () => Promise.resolve(),
    begin(link, after, { statements = BEGIN, reject } = {}) {
      const open = queueCopy(link, `${statements}; ${copy}`, table.insertLocks > 0 ? after : undefined);
      return appendWriter<Row>(open, table.name, add, reject);
    },
    keyOf: null,
    first: segmentedWriters<Row>(table, columns),
  };
}

function appendWriter<Row>(
  copy: CopyIn,
  table: string,
  add: AddRow<Row>,
  reject: Reject<Row> | undefined,
): Writer<Row> {
  const sent = sentRows();
  const bad = reject && { reject };
  const buffer = new TextBuffer();
  const explain = (error: unknown): never => {
    throw sent.explain(error, table);
  };
  return {
    async write(batch) {
      const rows = { batch, places: undefined };
      sent.add(rows);
      await sendRows(buffer, rows, add, (block) => copy.send(block)?.catch(explain), bad);
    },
    prepare: () => copy.finish(buffer.takeRest()).catch(explain),
    abandon: () => copy.abandon(),
  };
}
