/** Which files may have rows of some keys: by partition, statistics and Bloom filters. */
import type { ColumnFilter } from '@eos/parquet';
import type { PreparedCondition } from '../statistics/conditions.js';
import { prepareCondition } from '../statistics/conditions.js';
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

/** The conditions on columns that lie in files, for their row groups. */
export function rowGroupFilters(
  conditions: readonly PreparedCondition[],
  { inFiles }: KeyColumns,
): readonly ColumnFilter[] {
  return conditions.flatMap(({ column, filter }) =>
    filter === undefined || !inFiles.includes(column) ? [] : [filter],
  );
}
