/** Append: one COPY straight into the table, kept open over all batches of a transaction. */
import { EosError, isEosError, OP_NAMES, type ChangeBatch } from '@eos/core';
import { BEGIN } from './commit.js';
import type { Link } from './connection.js';
import { startCopy } from './copy-stream.js';
import { lineEncoder } from './copy-text.js';
import { quoteAll } from './identifiers.js';
import { placed, placeOf, sentRows } from './sent-rows.js';
import type { Table } from './target.js';
import type { ColumnEncoder } from './value-text.js';
import { SLICE, type Writer, type WriterFactory } from './writer.js';

export function appendWriters<Row>(table: Table, columns: readonly ColumnEncoder[]): WriterFactory<Row> {
  const names = quoteAll(columns.map(({ name }) => name));
  // Deferred constraints are checked with the rows, so that a COMMIT finds nothing to complain about.
  const statements = `${BEGIN}; COPY ${table.sql} (${names}) FROM STDIN; SET CONSTRAINTS ALL IMMEDIATE`;
  return (link) => appendWriter<Row>(link, statements, table.name, columns);
}

function appendWriter<Row>(
  link: Link,
  statements: string,
  table: string,
  columns: readonly ColumnEncoder[],
): Writer<Row> {
  const { line } = lineEncoder<Row>(columns);
  const copy = startCopy(link, statements);
  const sent = sentRows();
  let text = '';

  return {
    async write(batch) {
      checkInserts(batch);
      const { rows, partition, offsets } = batch;
      sent.add(partition, offsets?.slice(), rows.length);
      let index = 0;
      try {
        for (; index < rows.length; index += 1) {
          // Within its bounds: a batch has as many rows as it says.
          text += `${line(rows[index] as Row)}\n`;
          if (text.length < SLICE) continue;
          const room = copy.send(text);
          text = '';
          if (room !== undefined) await room;
        }
      } catch (error) {
        throw isEosError(error, 'EOS_ROW')
          ? placed(error, placeOf(batch, index))
          : sent.explain(error, table);
      }
    },
    async prepare() {
      await copy.finish(text).catch((error: unknown) => {
        throw sent.explain(error, table);
      });
    },
    abandon: copy.abandon,
  };
}

function checkInserts<Row>({ ops, partition, offsets }: ChangeBatch<Row>): void {
  const index = ops?.findIndex((op) => op !== 0) ?? -1;
  if (index < 0) return;
  const name = OP_NAMES[ops?.[index] ?? 0];
  throw placed(
    new EosError('EOS_CHANGELOG_MODE', `${String(name)} cannot be appended: set mode: 'upsert' and a key`),
    placeOf({ rows: [], partition, ...(offsets === undefined ? {} : { offsets }) }, index),
  );
}
