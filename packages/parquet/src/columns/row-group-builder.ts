/** Rows, or ready columns, into the leaf columns of one row group. Memory is that of the columns, kept from one row group to the next. */
import { EosError, isEosError, messageOf } from '@eos/core';
import type { FileSchema } from '../schema/elements.js';
import { shown } from '../values/refuse.js';
import type { LeafColumn, LeafData } from './leaf-column.js';
import { shredders, type Shredder, type ValueCheck } from './shredder.js';

/** Values by the names of top-level fields; one that is left out is null in every row. */
export type ColumnArrays = Readonly<Record<string, ArrayLike<unknown> | undefined>>;

export class RowGroupBuilder {
  rowCount = 0;
  private readonly columns: readonly LeafColumn[];
  private readonly fields: readonly { readonly name: string; readonly shredder: Shredder }[];

  constructor(schema: FileSchema, check?: ValueCheck) {
    const made = shredders(schema.fields, schema.leaves, check);
    this.columns = made.columns;
    this.fields = schema.fields.flatMap(({ name }, at) => {
      const shredder = made.shredders[at];
      return shredder === undefined ? [] : [{ name, shredder }];
    });
  }

  get leaves(): readonly LeafData[] {
    return this.columns;
  }

  get byteSize(): number {
    let bytes = 0;
    for (const column of this.columns) bytes += column.byteSize;
    return bytes;
  }

  /**
   * Adds rows from `start` up to `end`.
   * @throws EOS_ROW with `details.column` and `details.row`, the index of the first row at fault: those before it are added, it and
   *   those behind it are not
   */
  addRows(rows: readonly unknown[], start: number, end: number): void {
    this.add(start, end, (from, to) => {
      for (let at = from; at < to; at++) {
        if (!isObject(rows[at])) {
          throw new EosError('EOS_ROW', `a row must be an object, not ${shown(rows[at])}`);
        }
      }
      for (const { name, shredder } of this.fields) {
        for (let at = from; at < to; at++) {
          const row = rows[at];
          if (isObject(row)) shredder.add(row[name], 0);
        }
      }
    });
  }

  /** Adds the values from `start` up to `end` of each column. Throws as {@link RowGroupBuilder.addRows} does. */
  addColumns(columns: ColumnArrays, start: number, end: number): void {
    this.add(start, end, (from, to) => {
      for (const { name, shredder } of this.fields) {
        const values = columns[name];
        for (let at = from; at < to; at++) shredder.add(values?.[at], 0);
      }
    });
  }

  clear(): void {
    this.rowCount = 0;
    for (const column of this.columns) column.clear();
  }

  /** Column by column, which is fast; where that fails, row by row, which tells which row it is. */
  private add(start: number, end: number, addRange: (from: number, to: number) => void): void {
    if (this.attempt(addRange, start, end) === undefined) return;
    for (let at = start; at < end; at++) {
      const failure = this.attempt(addRange, at, at + 1);
      if (failure !== undefined) throw rowError(failure, at);
    }
  }

  private attempt(
    addRange: (from: number, to: number) => void,
    from: number,
    to: number,
  ): EosError | undefined {
    const marks = this.columns.map((column) => column.mark());
    try {
      addRange(from, to);
      this.rowCount += to - from;
      return undefined;
    } catch (error) {
      this.columns.forEach((column, at) => {
        const mark = marks[at];
        if (mark !== undefined) column.restore(mark);
      });
      if (isEosError(error, 'EOS_ROW')) return error;
      throw error;
    }
  }
}

function rowError(failure: EosError, row: number): EosError {
  return new EosError('EOS_ROW', `${messageOf(failure)}, row ${row} of the batch`, {
    details: { ...failure.details, row },
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
