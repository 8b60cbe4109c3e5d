/** The columns by which an upsert tells rows apart. */
import { EosError, rowSchema, type Column, type RowSchema } from '@eos/core';
import type { TablePlan } from '../files/table-plan.js';
import { parseTableSchema, typeName, type DeltaField } from '../schema/delta-schema.js';
import { eosColumnOf, eosKindOf } from '../schema/eos-columns.js';

export interface KeyColumns {
  readonly names: readonly string[];
  /** As rows have them. */
  readonly fields: readonly DeltaField[];
  readonly schema: RowSchema;
  /** Those in files: of the others the log has the values. */
  readonly inFiles: readonly string[];
  /** Those by whose statistics a file can be ruled out: what equal keys have in common there. */
  readonly comparable: readonly string[];
  /** The only column of the key, where its values are integers: those take the least memory and time. */
  readonly integer: 'int32' | 'int64' | 'timestamp' | undefined;
}

/** @throws EOS_SCHEMA for a column that cannot be part of a key */
export function keyColumns(names: readonly string[], plan: TablePlan): KeyColumns {
  const { fields: all, metadata } = plan;
  const fields = names.map((name) => fieldOf(name, all));
  const columns = Object.fromEntries(fields.map((field) => [field.name, columnOf(field)]));
  const inFiles = names.filter((name) => !metadata.partitionColumns.includes(name));
  const [only] = Object.values(columns);
  const kind = names.length === 1 && inFiles.length === 1 ? only?.type.kind : undefined;
  const stored = parseTableSchema(metadata.schemaString).fields;
  return {
    names,
    fields,
    schema: rowSchema(columns),
    inFiles,
    comparable: fields.filter((field) => hasOneText(field, stored, inFiles)).map(({ name }) => name),
    integer: kind === 'int32' || kind === 'int64' || kind === 'timestamp' ? kind : undefined,
  };
}

function fieldOf(name: string, fields: readonly DeltaField[]): DeltaField {
  const field = fields.find((candidate) => candidate.name === name);
  if (field !== undefined) return field;
  throw new EosError(
    'EOS_SCHEMA',
    `the column ${JSON.stringify(name)} of the key is no column of the table`,
    {
      details: { column: name },
    },
  );
}

function columnOf(field: DeltaField): Column {
  const column = eosColumnOf(field);
  if (column !== undefined && column.type.kind !== 'json') return column;
  const type = column?.type.kind ?? typeName(field.type);
  const message = `column ${JSON.stringify(field.name)}, a ${type}, cannot be part of a key`;
  throw new EosError('EOS_SCHEMA', message, { details: { column: field.name, type } });
}

/** UUIDs that others wrote, and those of partitions, may be in upper case too. */
function hasOneText(field: DeltaField, stored: readonly DeltaField[], inFiles: readonly string[]): boolean {
  if (eosKindOf(field) !== 'uuid') return true;
  const column = stored.find(({ name }) => name === field.name);
  return inFiles.includes(field.name) && column !== undefined && eosKindOf(column) === 'uuid';
}
