/** What a reader looks for: conditions on columns, by which files, row groups and rows are told apart. */
import { EosError } from '@eos/core';
import type { ColumnFilter } from '@eos/parquet';
import type { DeltaField } from '../schema/delta-schema.js';
import type { ColumnBounds } from './file-bounds.js';
import { compareValues, valueOrder, type Comparable, type ValueOrder } from './value-order.js';

/**
 * One of several values; a value from `from` up to `to` (both count as in it); null or not. Values are those of rows. Null is no value
 * and in no range, and neither is NaN.
 */
export type Condition =
  | { readonly column: string; readonly in: readonly unknown[] }
  | { readonly column: string; readonly from?: unknown; readonly to?: unknown }
  | { readonly column: string; readonly isNull: boolean };

export interface PreparedCondition {
  readonly column: string;
  readonly order: ValueOrder | undefined;
  /** For row groups of a Parquet file; undefined where it cannot help there. */
  readonly filter: ColumnFilter | undefined;
  /** No value that meets it is below, or above; undefined for none. */
  readonly least?: Comparable | undefined;
  readonly greatest?: Comparable | undefined;
  /** Whether a row of a file with these bounds may meet it. */
  readonly mayHold: (bounds: ColumnBounds) => boolean;
  /** Whether a value of a row meets it. */
  readonly holds: (value: unknown) => boolean;
}

/**
 * @throws EOS_CONFIG for a column that there is not, and for a value of another type
 */
export function prepareCondition(condition: Condition, fields: readonly DeltaField[]): PreparedCondition {
  const { column } = condition;
  const field = fields.find(({ name }) => name === column);
  if (field === undefined) throw wrong(column, 'the table has no such column');
  const order = valueOrder(field.type);
  if ('isNull' in condition) return nullCondition(column, condition.isNull, order);
  if (order === undefined) throw wrong(column, `a ${field.type.kind} can only be asked whether it is null`);
  if ('in' in condition) return inCondition(column, order, condition.in);
  return rangeCondition(column, order, condition);
}

function nullCondition(column: string, isNull: boolean, order: ValueOrder | undefined): PreparedCondition {
  return {
    ...{ column, order, filter: undefined },
    mayHold: ({ nulls }) => nulls !== (isNull ? 'none' : 'all'),
    holds: (value) => (value === null || value === undefined) === isNull,
  };
}

function inCondition(column: string, order: ValueOrder, values: readonly unknown[]): PreparedCondition {
  const wanted = values
    .filter((value) => !isNothing(value))
    .map((value) => comparable(column, order, value))
    .sort(compareValues);
  const known = new Set(wanted.map(setMember));
  return {
    ...{ column, order, filter: { column, in: values }, least: wanted[0], greatest: wanted.at(-1) },
    mayHold: ({ min, max, nulls }) => {
      if (nulls === 'all') return false;
      const first = min === undefined ? wanted[0] : wanted[lowest(wanted, min)];
      return first !== undefined && (max === undefined || compareValues(first, max) <= 0);
    },
    holds: (value) => {
      const found = order.value(value);
      return found !== undefined && known.has(setMember(found));
    },
  };
}

function rangeCondition(
  column: string,
  order: ValueOrder,
  range: { readonly from?: unknown; readonly to?: unknown },
): PreparedCondition {
  const from = range.from === undefined ? undefined : comparable(column, order, range.from);
  const to = range.to === undefined ? undefined : comparable(column, order, range.to);
  const filter = {
    column,
    ...(from === undefined ? {} : { from: range.from }),
    ...(to === undefined ? {} : { to: range.to }),
  };
  const isWithin = (least: Comparable | undefined, greatest: Comparable | undefined) =>
    (from === undefined || greatest === undefined || compareValues(greatest, from) >= 0) &&
    (to === undefined || least === undefined || compareValues(least, to) <= 0);
  return {
    ...{ column, order, filter, least: from, greatest: to },
    mayHold: ({ min, max, nulls }) => nulls !== 'all' && isWithin(min, max),
    holds: (value) => {
      const found = order.value(value);
      return found !== undefined && isWithin(found, found);
    },
  };
}

/** Where the first of sorted values is that is not below `bound`. */
function lowest(values: readonly Comparable[], bound: Comparable): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const value = values[middle];
    if (value !== undefined && compareValues(value, bound) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Bytes are told apart by what they hold. */
function setMember(value: Comparable): Comparable {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined || Number.isNaN(value);
}

function comparable(column: string, order: ValueOrder, value: unknown): Comparable {
  const found = order.value(value);
  if (found === undefined) throw wrong(column, `${shown(value)} is no value of it`);
  return found;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value).slice(0, 60) : String(value).slice(0, 60);
}

function wrong(column: string, problem: string): EosError {
  return new EosError('EOS_CONFIG', `where: column ${JSON.stringify(column)}: ${problem}`, {
    details: { option: 'where', column },
  });
}
