/** Rows of one data file into another, column by column. */
import type { RowSet } from '../deletion-vectors/row-set.js';
import type { DataFile } from './data-file.js';
import type { OpenFile } from './open-file.js';

export interface CopyOptions {
  /** Columns to copy; those that the file lacks are null. */
  readonly columns: readonly string[];
  /** Rows to leave out. */
  readonly without?: RowSet;
  /** Rows to copy, and no others. */
  readonly only?: RowSet;
  /** A column that is added, with its value for each row. */
  readonly added?: { readonly name: string; readonly valueOf: (position: number) => unknown };
}

/** Memory: one row group, as values. */
export async function copyRows(
  { parquet, deleted }: OpenFile,
  target: DataFile<object>,
  { columns, without, only, added }: CopyOptions,
): Promise<void> {
  const known = new Set(parquet.fields.map(({ name }) => name));
  const names = columns.filter((name) => known.has(name));
  for (const { index, firstRow, rowCount } of parquet.rowGroups) {
    const kept: number[] = [];
    for (let row = 0; row < rowCount; row++) {
      const position = firstRow + row;
      if (only !== undefined && !only.has(position)) continue;
      if (deleted?.has(position) !== true && without?.has(position) !== true) kept.push(row);
    }
    if (kept.length === 0) continue;
    const found = await parquet.columns(index, names);
    const values = Object.fromEntries(
      [...found].map(([name, column]) => [name, kept.length === rowCount ? column : chosen(column, kept)]),
    );
    const more = added && { [added.name]: kept.map((row) => added.valueOf(firstRow + row)) };
    await target.writeColumns({ ...values, ...more }, kept.length);
  }
}

/** Rows lie close together, as most are kept: what lies between two that are left out is copied at once. */
function chosen(column: ArrayLike<unknown>, rows: readonly number[]): ArrayLike<unknown> {
  if (column instanceof BigInt64Array) return copiedRuns(column, new BigInt64Array(rows.length), rows);
  if (column instanceof Float64Array) return copiedRuns(column, new Float64Array(rows.length), rows);
  if (column instanceof Int32Array) return copiedRuns(column, new Int32Array(rows.length), rows);
  const values = new Array<unknown>(rows.length);
  for (let at = 0; at < rows.length; at++) values[at] = column[rows[at] ?? 0];
  return values;
}

interface Numbers<Same> {
  subarray(start: number, end: number): Same;
  set(values: Same, offset: number): void;
}

function copiedRuns<Column extends Numbers<Column>>(
  from: Column,
  to: Column,
  rows: readonly number[],
): Column {
  for (let at = 0; at < rows.length;) {
    const first = rows[at] ?? 0;
    let count = 1;
    while (rows[at + count] === first + count) count += 1;
    to.set(from.subarray(first, first + count), at);
    at += count;
  }
  return to;
}
