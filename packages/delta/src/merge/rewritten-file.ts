/** A data file again, without some of its rows. */
import type { RowSet } from '../deletion-vectors/row-set.js';
import { copyRows } from '../files/copy-rows.js';
import { DataFile, type FilePlace, type FileSettings } from '../files/data-file.js';
import { openFile, type OpenFile } from '../files/open-file.js';
import type { TablePlan } from '../files/table-plan.js';
import type { AddFile, RemoveFile } from '../log/actions.js';

/**
 * Writes the rows that are left to a new file; undefined where none is.
 * @param plan of stored values
 */
export async function rewriteWithout(
  place: FilePlace,
  plan: TablePlan,
  settings: FileSettings,
  file: AddFile,
  without: RowSet,
  open?: OpenFile,
): Promise<AddFile | undefined> {
  const source = open ?? (await openFile(place, file));
  const gone = (source.deleted?.size ?? 0) + without.size;
  if (gone >= source.parquet.rowCount) return undefined;
  const target = new DataFile<object>(place, plan, settings, file.partitionValues);
  try {
    await copyRows(source, target, { columns: plan.dataFields.map(({ name }) => name), without });
    return await target.finish();
  } catch (error) {
    await target.abort();
    throw error;
  }
}

/** The action that takes a file out of the table. */
export function removeOf(file: AddFile, now: number, dataChange = true): RemoveFile {
  const { path, partitionValues, size, tags, deletionVector } = file;
  return {
    path,
    dataChange,
    deletionTimestamp: now,
    extendedFileMetadata: true,
    partitionValues,
    size,
    ...(tags === undefined ? {} : { tags }),
    ...(deletionVector === undefined ? {} : { deletionVector }),
  };
}
