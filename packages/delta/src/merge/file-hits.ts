/** Rows of a data file whose keys are among some others: only columns of the key are read. */
import { RowSet } from '../deletion-vectors/row-set.js';
import type { OpenFile } from '../files/open-file.js';
import type { ColumnFilter } from '@eos/parquet';
import type { KeyColumns } from './key-columns.js';
import type { KeyTable } from './key-table.js';

/** Told of each row: its position, and the number of its key. */
export type OnHit = (position: number, key: number) => void;

/**
 * Finds rows, leaving out those that are deleted already.
 * @param constants values of key columns that the log has, not the file
 */
export async function findHits(
  { parquet, deleted }: OpenFile,
  columns: KeyColumns,
  keys: KeyTable,
  filters: readonly ColumnFilter[],
  constants: ReadonlyMap<string, unknown>,
  onHit: OnHit,
): Promise<void> {
  const known = new Set(parquet.fields.map(({ name }) => name));
  // Added to the table behind the file: null in all of its rows.
  if (columns.inFiles.some((name) => !known.has(name))) return;
  for (const index of await parquet.rowGroupsWith(filters)) {
    const group = parquet.rowGroups[index];
    if (group === undefined) continue;
    const find = keys.finder(await parquet.columns(index, columns.inFiles), constants);
    for (let row = 0; row < group.rowCount; row++) {
      const key = find(row);
      if (key < 0) continue;
      const position = group.firstRow + row;
      if (deleted === undefined || !deleted.has(position)) onHit(position, key);
    }
  }
}

/** Rows that are gone, for whichever reason. */
export function union(left: RowSet | undefined, right: RowSet): RowSet {
  if (left === undefined) return right;
  const all = new RowSet();
  all.addAll(left);
  all.addAll(right);
  return all;
}
