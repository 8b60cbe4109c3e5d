/** Which files of a table may hold what is looked for: by their partition, and by their statistics. */
import type { AddFile } from '../log/actions.js';
import { partitionValueOf } from '../schema/partition-texts.js';
import type { DeltaField } from '../schema/delta-schema.js';
import type { PreparedCondition } from './conditions.js';
import { fileBounds, type FileBounds } from './file-bounds.js';
import type { ValueOrder } from './value-order.js';

/** Whether a file may have a row that is looked for. Never false for one that has. */
export type FileFilter = (file: AddFile) => boolean;

/** Statistics of some columns, parsed once for each file, for as long as somebody holds the file's action. */
export class BoundsCache {
  readonly #bounds = new WeakMap<AddFile, FileBounds>();

  constructor(private readonly orders: ReadonlyMap<string, ValueOrder>) {}

  of(file: AddFile): FileBounds {
    let bounds = this.#bounds.get(file);
    if (bounds === undefined) {
      bounds = fileBounds(file.stats, this.orders);
      this.#bounds.set(file, bounds);
    }
    return bounds;
  }
}

/** Bounds of the columns that conditions are about. */
export function boundsFor(conditions: readonly PreparedCondition[]): BoundsCache {
  return new BoundsCache(
    new Map(conditions.flatMap(({ column, order }) => (order === undefined ? [] : [[column, order]]))),
  );
}

/**
 * Files in which every condition may hold.
 * @param partitionColumns of the table, with their types
 */
export function fileFilter(
  conditions: readonly PreparedCondition[],
  partitionColumns: readonly DeltaField[],
  bounds: BoundsCache = boundsFor(conditions),
): FileFilter {
  const values = new Map(partitionColumns.map((field) => [field.name, partitionValueOf(field)]));
  const tests = conditions.map(({ column, holds, mayHold }) => {
    const valueOf = values.get(column);
    if (valueOf !== undefined) return (file: AddFile) => holds(valueOf(file.partitionValues[column]));
    return (file: AddFile) => {
      const found = bounds.of(file).columns.get(column);
      return found === undefined || mayHold(found);
    };
  });
  return (file) => tests.every((test) => test(file));
}
