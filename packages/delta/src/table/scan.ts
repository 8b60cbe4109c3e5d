/** What a reader wants of a table, held against its files. */
import type { AddFile, Metadata } from '../log/actions.js';
import { decodeDataPath } from '../log/paths.js';
import { parseTableSchema } from '../schema/delta-schema.js';
import { prepareCondition, type Condition, type PreparedCondition } from '../statistics/conditions.js';
import { rowCountOf } from '../statistics/file-bounds.js';
import { fileFilter, type FileFilter } from '../statistics/file-skipping.js';
import { readColumns, type ReadColumn } from './read-columns.js';

export interface Scan {
  readonly conditions: readonly PreparedCondition[];
  /** Their columns. */
  readonly conditioned: readonly ReadColumn[];
  /** Whether a file may have a row that is wanted. */
  readonly isWanted: FileFilter;
}

/** @throws EOS_CONFIG for a condition that means nothing */
export function planScan(metadata: Metadata, where: readonly Condition[]): Scan {
  const { fields } = parseTableSchema(metadata.schemaString);
  const conditions = where.map((condition) => prepareCondition(condition, fields));
  const conditioned = readColumns(
    metadata,
    conditions.map(({ column }) => column),
  );
  const physical = conditions.map((condition, at) => ({
    ...condition,
    column: conditioned[at]?.physical ?? condition.column,
  }));
  const partitions = conditioned
    .filter(({ partition }) => partition !== undefined)
    .map((column) => ({ ...column.field, name: column.physical }));
  return { conditions, conditioned, isWanted: fileFilter(physical, partitions) };
}

/** A data file, as programs see it. */
export interface TableFile {
  /** Below the table. */
  readonly path: string;
  readonly bytes: number;
  readonly modifiedAt: Date;
  /** Values of the partition columns. */
  readonly partition: Readonly<Record<string, unknown>>;
  /** Rows that are not deleted; undefined where its statistics do not say. */
  readonly rows: number | undefined;
  /** Rows that a deletion vector deletes. */
  readonly deletedRows: number;
}

export function tableFile(file: AddFile, metadata: Metadata): TableFile {
  const deletedRows = file.deletionVector?.cardinality ?? 0;
  const rowCount = rowCountOf(file.stats);
  const columns = readColumns(metadata, metadata.partitionColumns);
  return {
    path: decodeDataPath(file.path),
    bytes: file.size,
    modifiedAt: new Date(file.modificationTime),
    partition: Object.fromEntries(
      columns.map(({ name, physical, partition }) => [name, partition?.(file.partitionValues[physical])]),
    ),
    rows: rowCount === undefined ? undefined : rowCount - deletedRows,
    deletedRows,
  };
}
