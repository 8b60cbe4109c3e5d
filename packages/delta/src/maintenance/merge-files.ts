/** The rows of some files of one partition in one file, as they are or sorted. */
import { EosError } from '@eos/core';
import { copyRows } from '../files/copy-rows.js';
import { DataFile, type FilePlace, type FileSettings } from '../files/data-file.js';
import { openFile } from '../files/open-file.js';
import type { TablePlan } from '../files/table-plan.js';
import type { AddFile } from '../log/actions.js';
import { compareValues, valueOrder, type Comparable, type ValueOrder } from '../statistics/value-order.js';

/**
 * @param plan of stored values
 * @param sortBy default: the order of the files
 * @returns nothing where all rows are deleted
 * @throws EOS_CONFIG for a column that rows cannot be sorted by
 */
export async function mergeFiles(
  place: FilePlace,
  plan: TablePlan,
  settings: FileSettings,
  files: readonly AddFile[],
  sortBy?: readonly string[],
): Promise<readonly AddFile[]> {
  const target = new DataFile<object>(place, plan, settings, files[0]?.partitionValues ?? {});
  try {
    if (sortBy === undefined) {
      const columns = plan.dataFields.map(({ name }) => name);
      for (const file of files) await copyRows(await openFile(place, file), target, { columns });
    } else await target.write(await sortedRows(place, plan, files, sortBy));
    if (target.rowCount > 0) return [await target.finish()];
    await target.abort();
    return [];
  } catch (error) {
    await target.abort();
    throw error;
  }
}

type Row = Readonly<Record<string, unknown>>;

/** As they are stored. */
async function sortedRows(
  place: FilePlace,
  plan: TablePlan,
  files: readonly AddFile[],
  sortBy: readonly string[],
): Promise<readonly Row[]> {
  const orders = sortBy.map((name) => ({ name, order: orderOf(name, plan) }));
  const rows: Row[] = [];
  for (const file of files) {
    const { parquet, deleted } = await openFile(place, file);
    for await (const batch of parquet.records()) {
      batch.rows.forEach((row, at) => {
        if (deleted?.has(batch.firstRow + at) !== true) rows.push(row);
      });
    }
  }
  const keyed = rows.map((row) => ({ row, keys: orders.map(({ name, order }) => order.value(row[name])) }));
  keyed.sort((left, right) => compareKeys(left.keys, right.keys));
  return keyed.map(({ row }) => row);
}

function orderOf(name: string, { fields, metadata }: TablePlan): ValueOrder {
  const field = fields.find((candidate) => candidate.name === name);
  const order = field && valueOrder(field.type);
  if (order !== undefined && !metadata.partitionColumns.includes(name)) return order;
  throw new EosError('EOS_CONFIG', `sortBy: rows of a file cannot be sorted by ${JSON.stringify(name)}`, {
    details: { option: 'sortBy', column: name },
  });
}

/** Nulls first. */
function compareKeys(
  left: readonly (Comparable | undefined)[],
  right: readonly (Comparable | undefined)[],
): number {
  for (const [at, first] of left.entries()) {
    const second = right[at];
    const order =
      first === undefined || second === undefined
        ? Number(first !== undefined) - Number(second !== undefined)
        : compareValues(first, second);
    if (order !== 0) return order;
  }
  return 0;
}
