/** Append: one COPY straight into the table, kept open over all batches of a transaction. */
import type { Reject } from './bad-rows.js';
import { BEGIN } from './commit.js';
import { queueCopy } from './copy-queue.js';
import type { CopyIn } from './copy-stream.js';
import { rowAdder } from './copy-text.js';
import { quoteAll } from './identifiers.js';
import { segmentedWriters } from './segmented.js';
import { sendRows, type AddRow } from './row-sender.js';
import { sentRows } from './sent-rows.js';
import type { Table } from './table.js';
import { TextBuffer } from './text-buffer.js';
import type { ColumnEncoder } from './value-text.js';
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
