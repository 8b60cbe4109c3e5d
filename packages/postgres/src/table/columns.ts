/** Which columns are written, and how: the rows' schema held against the table. */
import type { ColumnKind, ColumnType } from '@eos/core';
import { sqlType } from './column-types.js';
import { checkMissing } from './evolution.js';
import { exactEncoder, nativeEncoder, numericModifier } from '../copy/exact-values.js';
import type { Settings } from '../options.js';
import { quote } from '../connection/identifiers.js';
import { schemaError, tableColumn, type Table, type TableColumn } from './table.js';
import { valueEncoder, type ColumnEncoder } from '../copy/value-text.js';

/** The kind of values that a column takes where no schema says so. Any other type takes its text form, from a string. */
const KINDS: Readonly<Record<string, ColumnKind>> = {
  bool: 'boolean',
  int2: 'int32',
  int4: 'int32',
  int8: 'int64',
  float4: 'float64',
  float8: 'float64',
  numeric: 'decimal',
  bytea: 'bytes',
  date: 'date',
  timestamp: 'timestamp',
  timestamptz: 'timestamp',
  json: 'json',
  jsonb: 'json',
  uuid: 'uuid',
};

/** The types that hold every value of a kind. A string is the text form of any. */
const HOLDERS: Readonly<Record<Exclude<ColumnKind, 'string'>, readonly string[]>> = {
  boolean: ['bool'],
  int32: ['int4', 'int8', 'numeric', 'float8'],
  int64: ['int8', 'numeric'],
  float64: ['float8'],
  decimal: ['numeric'],
  bytes: ['bytea'],
  date: ['date'],
  timestamp: ['timestamptz', 'timestamp'],
  json: ['jsonb', 'json'],
  uuid: ['uuid', 'text', 'varchar'],
};

/** @throws EOS_SCHEMA where the table cannot take the rows */
export function planColumns(settings: Settings, table: Table): readonly ColumnEncoder[] {
  checkMissing(settings, table);
  const named = settings.schema?.names ?? settings.columns;
  const written = named ?? table.columns.filter(({ isGenerated }) => !isGenerated).map(({ name }) => name);
  checkRest(table, written);
  return written.map((name) => {
    const column = tableColumn(table, name);
    if (column.isGenerated)
      throw schemaError(`column ${JSON.stringify(name)} of ${table.sql} is made by the server`);
    return planColumn(settings, table, column);
  });
}

function planColumn({ schema }: Settings, table: Table, column: TableColumn): ColumnEncoder {
  const { name, isNullable } = column;
  const declared = schema?.columns[name];
  if (declared === undefined) {
    const type = catalogType(column);
    const encode = exactEncoder(column, type.kind, valueEncoder(type));
    return { name, kind: type.kind, isNullable, encode: nativeEncoder(column, encode) };
  }
  const { type } = declared;
  if (type.kind !== 'string' && !HOLDERS[type.kind].includes(column.type)) {
    const problem = `which does not hold every ${type.kind} of the schema`;
    const fix = `ALTER TABLE ${table.sql} ALTER COLUMN ${quote(name)} TYPE ${sqlType(type)}`;
    throw schemaError(
      `column ${JSON.stringify(name)} of ${table.sql} is of type ${column.type}, ${problem}. ${fix}`,
    );
  }
  // The server would round to the column's own digits, silently.
  const exact = type.kind === 'decimal' && column.modifier >= 4 ? catalogType(column) : type;
  return {
    name,
    kind: type.kind,
    isNullable: isNullable && declared.isNullable,
    encode: exactEncoder(column, type.kind, valueEncoder(exact)),
  };
}

function catalogType({ type, modifier }: TableColumn): ColumnType {
  const kind = KINDS[type] ?? 'string';
  return kind === 'decimal' ? { kind, ...numericModifier(modifier) } : { kind };
}

/** What the rows leave out must be able to stay out. */
function checkRest(table: Table, written: readonly string[]): void {
  const needed = table.columns.find(
    ({ name, isNullable, hasDefault, isGenerated }) =>
      !written.includes(name) && !isNullable && !hasDefault && !isGenerated,
  );
  if (needed === undefined) return;
  const problem = 'takes no null and has no default, but the rows leave it out';
  throw schemaError(`column ${JSON.stringify(needed.name)} of ${table.sql} ${problem}`);
}
