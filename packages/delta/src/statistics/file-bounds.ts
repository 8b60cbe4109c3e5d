/** What the statistics of a file say of some of its columns. They are a hint: what is missing or odd says nothing. */
import { parseExactJson } from '@eos/core';
import { isFields, type Fields } from '../log/fields.js';
import type { Comparable, ValueOrder } from './value-order.js';

export interface ColumnBounds {
  /** No value is below it. */
  readonly min?: Comparable | undefined;
  /** No value is above it. */
  readonly max?: Comparable | undefined;
  /** Only where it can be relied on: none, or all. */
  readonly nulls?: 'none' | 'all' | undefined;
}

export interface FileBounds {
  /** Rows in the file, deleted ones too. */
  readonly rowCount: number | undefined;
  readonly columns: ReadonlyMap<string, ColumnBounds>;
}

const NOTHING: FileBounds = { rowCount: undefined, columns: new Map() };

/** Bounds of the top-level columns that `orders` names. */
export function fileBounds(stats: string | undefined, orders: ReadonlyMap<string, ValueOrder>): FileBounds {
  const fields = parsed(stats);
  if (fields === undefined) return NOTHING;
  const rowCount = countOf(fields['numRecords']);
  const [min, max, nulls] = [fields['minValues'], fields['maxValues'], fields['nullCount']].map((member) =>
    isFields(member) ? member : {},
  );
  const columns = new Map<string, ColumnBounds>();
  for (const [name, order] of orders) {
    columns.set(name, {
      min: order.least(own(min, name)),
      max: order.greatest(own(max, name)),
      nulls: nullsOf(countOf(own(nulls, name)), rowCount),
    });
  }
  return { rowCount, columns };
}

/** How many rows a file has, deleted ones too; undefined where its statistics do not say. */
export function rowCountOf(stats: string | undefined): number | undefined {
  return countOf(parsed(stats)?.['numRecords']);
}

function own(fields: Fields | undefined, name: string): unknown {
  return fields !== undefined && Object.hasOwn(fields, name) ? fields[name] : undefined;
}

function parsed(stats: string | undefined): Fields | undefined {
  if (stats === undefined || stats === '') return undefined;
  try {
    // Each type makes what it needs of the text of a long number.
    const value = parseExactJson(stats, (token) => token);
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** In files with deletion vectors only the extremes are sure. */
function nullsOf(count: number | undefined, rowCount: number | undefined): ColumnBounds['nulls'] {
  if (count === undefined) return undefined;
  if (count === 0) return 'none';
  return count === rowCount ? 'all' : undefined;
}
