/** The columns of rows held against those of the table. */
import { EosError } from '@eos/core';
import type { Metadata } from '../log/actions.js';
import {
  parseTableSchema,
  schemaText,
  typeName,
  type DeltaField,
  type DeltaType,
} from '../schema/delta-schema.js';
import { deltaSchemaOf } from '../schema/eos-columns.js';
import type { Settings } from '../options.js';

export interface ColumnPlan {
  /** The metadata with columns that the table lacks; undefined where it has all. */
  readonly evolved: Metadata | undefined;
  /** The columns of the table, as rows have them. */
  readonly fields: readonly DeltaField[];
}

/**
 * Without a schema rows have the columns of the table. With one, each of its columns is looked for, by name.
 * @throws EOS_SCHEMA naming the column
 */
export function planTableColumns(
  { schema, evolution, partitionBy, key }: Pick<Settings, 'schema' | 'evolution' | 'partitionBy' | 'key'>,
  metadata: Metadata,
): ColumnPlan {
  const table = parseTableSchema(metadata.schemaString).fields;
  checkPartitions(partitionBy, metadata.partitionColumns);
  if (schema === undefined) {
    checkNames(key, table);
    return { evolved: undefined, fields: table };
  }
  const rows = new Map(deltaSchemaOf(schema).fields.map((field) => [field.name, field]));
  const fields = table.map((column) => {
    const wanted = rows.get(column.name);
    rows.delete(column.name);
    return wanted === undefined ? absentColumn(column) : matchingColumn(column, wanted);
  });
  if (rows.size === 0) return { evolved: undefined, fields };
  const added = [...rows.values()].map((field) => addedColumn(field, evolution, table));
  return {
    evolved: { ...metadata, schemaString: schemaText({ fields: [...table, ...added] }) },
    fields: [...fields, ...added],
  };
}

function checkPartitions(wanted: readonly string[] | undefined, found: readonly string[]): void {
  if (wanted === undefined || JSON.stringify(wanted) === JSON.stringify(found)) return;
  const shown = (names: readonly string[]) => (names.length === 0 ? 'no column' : names.join(', '));
  throw new EosError(
    'EOS_SCHEMA',
    `the table is parted by ${shown(found)}, not by ${shown(wanted)}, as partitionBy says`,
    { details: { expected: wanted, found } },
  );
}

function checkNames(names: readonly string[], fields: readonly DeltaField[]): void {
  for (const name of names)
    if (!fields.some((field) => field.name === name)) throw schemaError(name, 'is no column of the table');
}

function absentColumn(column: DeltaField): DeltaField {
  if (column.isNullable) return column;
  throw schemaError(column.name, 'of the table may not be null, and the schema has no such column');
}

/** What rows have for a column of the table. A json or uuid of rows is a text of the table, whoever made it. */
function matchingColumn(column: DeltaField, wanted: DeltaField): DeltaField {
  if (!holds(column.type, wanted.type)) {
    throw schemaError(
      column.name,
      `is a ${typeName(column.type)} in the table, and rows have a ${typeName(wanted.type)} for it`,
    );
  }
  return { ...column, metadata: { ...column.metadata, ...wanted.metadata } };
}

function holds(column: DeltaType, wanted: DeltaType): boolean {
  if (column.kind === 'long' && wanted.kind === 'integer') return true;
  return typeName(column) === typeName(wanted);
}

function addedColumn(
  field: DeltaField,
  evolution: Settings['evolution'],
  table: readonly DeltaField[],
): DeltaField {
  const { name } = field;
  if (evolution === 'fail')
    throw schemaError(name, `is missing in the table: add it, or set evolution: 'add-nullable'`);
  if (!field.isNullable)
    throw schemaError(name, 'is missing in the table, and only a nullable column can be added');
  const same = table.find((column) => column.name.toLowerCase() === name.toLowerCase());
  if (same !== undefined)
    throw schemaError(name, `differs from ${JSON.stringify(same.name)} of the table in case only`);
  return field;
}

function schemaError(column: string, problem: string): EosError {
  return new EosError('EOS_SCHEMA', `column ${JSON.stringify(column)} ${problem}`, { details: { column } });
}
