/**
 * Folding a changelog to its effect. The order of the input is the order of the changes.
 */
import { isRetraction } from './changes.js';
import { keyTextOf, rowText } from './row-text.js';
import type { RowSchema } from './schema.js';

/** Changes in order: `ops` absent means all are `+I`. */
export interface Changes<Row> {
  readonly rows: readonly Row[];
  readonly ops?: Uint8Array;
}

/** What is left of a changelog by key: apply the deletes, then the upserts. No key is in both. */
export interface KeyedEffect<Row> {
  readonly deletes: readonly Row[];
  readonly upserts: readonly Row[];
}

/** What is left of a changelog as a multiset: how many copies of a row come (positive) or go (negative); never 0. */
export interface CountedRow<Row> {
  readonly row: Row;
  readonly count: number;
}

/**
 * Folds to the last change of each key. `+I` and `+U` put the row, `-U` and `-D` remove its key; a key that changes between `-U`
 * and `+U` is thereby a delete of the old and an insert of the new. A delete is kept even where its insert is in the same batch:
 * an earlier run may have left the key at the destination.
 * @param schema the types of the key columns, where different texts can be the same value (uuid, decimal)
 * @throws EOS_ROW where a key column is null or missing
 */
export function consolidateByKey<Row extends object>(
  changes: Changes<Row>,
  key: readonly string[],
  schema?: RowSchema,
): KeyedEffect<Row> {
  const keyText = keyTextOf(key, schema);
  const last = new Map<string, number>();
  const { rows, ops } = changes;
  rows.forEach((row, index) => {
    const text = keyText(row);
    // Deleted first so that the map's order is that of the last changes.
    last.delete(text);
    last.set(text, index);
  });
  const deletes: Row[] = [];
  const upserts: Row[] = [];
  for (const index of last.values()) {
    const row = rows[index];
    if (row === undefined) continue;
    (isRetraction(ops?.[index] ?? 0) ? deletes : upserts).push(row);
  }
  return { deletes, upserts };
}

/** Adds up how many copies of each row come and go; what cancels is left out. Rows are compared column by column, by {@link rowText}. */
export function consolidateRows<Row extends object>(changes: Changes<Row>): readonly CountedRow<Row>[] {
  const counted = new Map<string, { row: Row; count: number }>();
  const { rows, ops } = changes;
  rows.forEach((row, index) => {
    const text = rowText(row);
    const difference = isRetraction(ops?.[index] ?? 0) ? -1 : 1;
    const entry = counted.get(text);
    if (entry === undefined) counted.set(text, { row, count: difference });
    else entry.count += difference;
  });
  return [...counted.values()].filter((entry) => entry.count !== 0);
}
