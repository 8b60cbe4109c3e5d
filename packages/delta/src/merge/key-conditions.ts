/** Which files may have rows of some keys: by partition, statistics and Bloom filters. */
import type { ColumnFilter } from '@eos/parquet';
import type { PreparedCondition } from '../statistics/conditions.js';
import { prepareCondition } from '../statistics/conditions.js';
import { BoundsCache } from '../statistics/file-skipping.js';
import { valueOrder } from '../statistics/value-order.js';
import type { KeyColumns } from './key-columns.js';
import type { KeyTable } from './key-table.js';

/**
 * A condition for each column of the key that can rule a file out. Together they hold wherever a key is, and elsewhere too.
 */
export function keyConditions(columns: KeyColumns, keys: KeyTable): readonly PreparedCondition[] {
  const values = keys.values();
  return columns.comparable.flatMap((column) => {
    const field = columns.fields.find(({ name }) => name === column);
    const order = field && valueOrder(field.type);
    if (order === undefined) return [];
    const wanted = Array.from(values.get(column) ?? []);
    // To statistics NaN is no value; as a key it is one.
    if (wanted.some((value) => Number.isNaN(value))) return [];
    // A key that no row can have, such as a decimal with more digits: there is nothing to find.
    const possible = wanted.filter((value) => order.value(value) !== undefined);
    return [prepareCondition({ column, in: possible }, columns.fields)];
  });
}

/** The column whose bounds are looked at first: that of the first condition, where it lies in files. */
export function indexedColumn({ fields, comparable, inFiles }: KeyColumns): string | undefined {
  const first = fields.find(({ name, type }) => comparable.includes(name) && valueOrder(type) !== undefined);
  return first !== undefined && inFiles.includes(first.name) ? first.name : undefined;
}

/** Statistics of the columns of the key, parsed once for each file. */
export function keyBounds({ fields, comparable }: KeyColumns): BoundsCache {
  const orders = fields.flatMap(({ name, type }) => {
    const order = comparable.includes(name) ? valueOrder(type) : undefined;
    return order === undefined ? [] : [[name, order] as const];
  });
  return new BoundsCache(new Map(orders));
}

/** The conditions on columns that lie in files, for their row groups. */
export function rowGroupFilters(
  conditions: readonly PreparedCondition[],
  { inFiles }: KeyColumns,
): readonly ColumnFilter[] {
  return conditions.flatMap(({ column, filter }) =>
    filter === undefined || !inFiles.includes(column) ? [] : [filter],
  );
}
