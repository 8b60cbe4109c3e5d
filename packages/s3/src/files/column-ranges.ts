/** What the values of each column of a file lie between, for the log: a reader skips files by it. */
import { jsonWriter, type ChangeBatch, type ColumnKind, type JsonValue, type RowSchema } from '@eos/core';
import type { ColumnRange } from './data-files.js';

/** Gathers the ranges of one file. */
export interface RangeCollector {
  /** Rows that were written, and so fit the schema. */
  add(batch: ChangeBatch<unknown>, start: number, end: number): void;
  ranges(): Readonly<Record<string, ColumnRange>>;
}

/** Kinds whose order is that of their JavaScript values. Text is left out: its bounds would fill the log. */
const ORDERED: ReadonlySet<ColumnKind> = new Set(['int32', 'int64', 'float64', 'date', 'timestamp']);

type Comparable = number | bigint | string;

interface Range {
  readonly name: string;
  readonly isOrdered: boolean;
  readonly text: (value: unknown) => string | undefined;
  min: Comparable | undefined;
  max: Comparable | undefined;
  nulls: number;
  /** NaN lies between no bounds: the column then has none. */
  hasNaN: boolean;
}

export function rangeCollector(schema: RowSchema): RangeCollector {
  const columns = schema.names.flatMap((name): Range[] => {
    const column = schema.columns[name];
    if (column === undefined) return [];
    const { kind } = column.type;
    const text = jsonWriter(column.type, { int64: 'string' });
    return [
      { name, isOrdered: ORDERED.has(kind), text, min: undefined, max: undefined, nulls: 0, hasNaN: false },
    ];
  });
  return {
    add({ rows }, start, end) {
      for (const column of columns) addColumn(column, rows, start, end);
    },
    ranges: () => Object.fromEntries(columns.map((column) => [column.name, rangeOf(column)])),
  };
}

function addColumn(column: Range, rows: readonly unknown[], start: number, end: number): void {
  const { name, isOrdered } = column;
  let { min, max } = column;
  for (let index = start; index < end; index += 1) {
    // The encoder has checked that it is an object whose values fit their columns.
    const given = (rows[index] as Readonly<Record<string, unknown>>)[name];
    if (given === null || given === undefined) {
      column.nulls += 1;
      continue;
    }
    if (!isOrdered) continue;
    const value = comparable(given);
    if (value !== value) column.hasNaN = true;
    if (min === undefined || value < min) min = value;
    if (max === undefined || value > max) max = value;
  }
  column.min = min;
  column.max = max;
}

/** A Date counts in microseconds, as timestamps that are bigints do. */
function comparable(value: unknown): Comparable {
  if (value instanceof Date) return BigInt(value.getTime()) * 1000n;
  return typeof value === 'number' || typeof value === 'bigint' ? value : String(value);
}

function rangeOf({ min, max, nulls, hasNaN, text }: Range): ColumnRange {
  if (min === undefined || max === undefined || hasNaN) return { nulls };
  return { min: jsonOf(text(min)), max: jsonOf(text(max)), nulls };
}

/** Numbers as numbers, everything else as its text; int64 as text, since JSON readers may round it. */
function jsonOf(text: string | undefined): JsonValue {
  if (text === undefined) return null;
  const value: unknown = JSON.parse(text);
  return typeof value === 'number' || typeof value === 'string' ? value : null;
}
