/** How rows get into the files of a table, decided once a session. */
import type { ParquetField } from '@eos/parquet';
import type { Metadata } from '../log/actions.js';
import { partitionTextOf, type PartitionText } from '../schema/partition-values.js';
import type { DeltaField } from '../schema/delta-schema.js';
import { dataFields } from '../schema/parquet-fields.js';

export interface TablePlan {
  readonly metadata: Metadata;
  /** The columns of the table, with what rows have for them. */
  readonly fields: readonly DeltaField[];
  /** Those of data files. */
  readonly dataFields: readonly ParquetField[];
  readonly partitionColumns: readonly PartitionColumn[];
}

export interface PartitionColumn {
  readonly name: string;
  readonly text: PartitionText;
}

/** @throws EOS_SCHEMA */
export function tablePlan(metadata: Metadata, fields: readonly DeltaField[]): TablePlan {
  const partitionColumns = metadata.partitionColumns.flatMap((name): PartitionColumn[] => {
    const field = fields.find((candidate) => candidate.name === name);
    return field === undefined ? [] : [{ name, text: partitionTextOf(field) }];
  });
  return {
    metadata,
    fields,
    dataFields: dataFields(fields, metadata.partitionColumns),
    partitionColumns,
  };
}
