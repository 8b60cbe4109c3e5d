/** Upsert: changes go to a staging table as they come, and from there to the target when all are there. */
import { isEosError, isRetraction } from '@eos/core';
import { BEGIN } from './commit.js';
import type { Link } from './connection.js';
import { rowAdder } from './copy-text.js';
import { lastChanges, repeatFinder } from './fold.js';
import { isServerError } from './error-map.js';
import { guessNewKeys, type Guess } from './guess.js';
import { planKey, type KeyOf } from './keys.js';
import { rowSender } from './row-sender.js';
import { planStaging, STAGING, type Contents, type Staging } from './staging.js';
import type { Table } from './table.js';
import type { TextBuffer } from './text-buffer.js';
import { NULL, type ColumnEncoder } from './value-text.js';
import type { Writer, Writers } from './writer.js';

interface Plan {
  readonly key: KeyOf;
  readonly staging: Staging;
  readonly newKeys: Guess;
  readonly addUpsert: (buffer: TextBuffer, row: unknown) => void;
  readonly addDelete: (buffer: TextBuffer, row: unknown) => void;
}

export function upsertWriters<Row>(
  table: Table,
  columns: readonly ColumnEncoder[],
  key: readonly string[],
): Writers<Row> {
  const names = columns.map(({ name }) => name);
  const plan: Plan = {
    key: planKey(table, columns, key),
    staging: planStaging(table, names, key),
    newKeys: guessNewKeys(),
    addUpsert: rowAdder(columns),
    // A delete needs no more than its key.
    addDelete: rowAdder(columns.map((column) => (key.includes(column.name) ? column : left(column)))),
  };
  return {
    async prepare(link) {
      await link.run(plan.staging.create);
    },
    begin: (link) => upsertWriter(link, plan),
  };
}

function left(column: ColumnEncoder): ColumnEncoder {
  return { ...column, isNullable: true, encode: () => NULL };
}

function upsertWriter<Row>(link: Link, { key, staging, newKeys, addUpsert, addDelete }: Plan): Writer<Row> {
  const sender = rowSender(link, `${BEGIN}; ${staging.copy}`, STAGING);
  const isRepeated = repeatFinder();
  const contents: Contents = { hasDeletes: false, hasUpserts: false, hasRepeats: false };
  let batches = 0;

  return {
    async write(batch) {
      const last = lastChanges(batch, key);
      contents.hasRepeats = isRepeated(last) || contents.hasRepeats;
      batches += 1;
      const [upserts, deletes] = [`\t${batches}`, `\t-${batches}`];
      const { ops } = batch;
      // Without a repeat, the rows are their own last changes, in their own order.
      const places = last.size === batch.rows.length ? undefined : Uint32Array.from(last.values());
      await sender.send(batch, places, (buffer, row, index) => {
        if (isRetraction(ops?.[index] ?? 0)) {
          contents.hasDeletes = true;
          addDelete(buffer, row);
          buffer.add(deletes);
        } else {
          contents.hasUpserts = true;
          addUpsert(buffer, row);
          buffer.add(upserts);
        }
      });
    },
    async prepare() {
      if (!contents.hasUpserts || contents.hasRepeats || !newKeys.isNew()) {
        await sender.finish(staging.merge(contents));
        return;
      }
      try {
        await sender.finish(staging.mergeNew(contents));
        newKeys.wasRight();
      } catch (error) {
        if (!isUniqueViolation(error)) throw error;
        newKeys.wasWrong();
        await link.run(staging.mergeAfterAll(contents)).catch(sender.explain);
      }
    },
    abandon: () => sender.abandon(),
  };
}

function isUniqueViolation(error: unknown): boolean {
  return isEosError(error) && isServerError(error.cause) && error.cause.code === '23505';
}
