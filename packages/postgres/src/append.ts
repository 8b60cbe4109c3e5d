/** Append: one COPY straight into the table, kept open over all batches of a transaction. */
import { EosError, Op, OP_NAMES, type ChangeBatch } from '@eos/core';
import { BEGIN } from './commit.js';
import { rowAdder } from './copy-text.js';
import { quoteAll } from './identifiers.js';
import { rowSender } from './row-sender.js';
import { placedIn } from './sent-rows.js';
import type { Table } from './table.js';
import type { ColumnEncoder } from './value-text.js';
import type { Writers } from './writer.js';

export function appendWriters<Row>(table: Table, columns: readonly ColumnEncoder[]): Writers<Row> {
  const add = rowAdder(columns);
  const names = quoteAll(columns.map(({ name }) => name));
  // What is deferred is checked with the rows, so that a COMMIT finds nothing to complain about.
  const copy = `COPY ${table.sql} (${names}) FROM STDIN; SET CONSTRAINTS ALL IMMEDIATE`;
  return {
    prepare: () => Promise.resolve(),
    begin(link) {
      const sender = rowSender(link, `${BEGIN}; ${copy}`, table.name);
      return {
        async write(batch) {
          checkInserts(batch);
          await sender.send(batch, undefined, add);
        },
        prepare: () => sender.finish(),
        abandon: () => sender.abandon(),
      };
    },
  };
}

function checkInserts<Row>(batch: ChangeBatch<Row>): void {
  const index = batch.ops?.findIndex((op) => op !== Op.insert) ?? -1;
  if (index < 0) return;
  const name = OP_NAMES[batch.ops?.[index] ?? 0] ?? 'an unknown op';
  const error = new EosError(
    'EOS_CHANGELOG_MODE',
    `${name} cannot be appended: set mode: 'upsert' and a key`,
  );
  throw placedIn(error, batch, index);
}
