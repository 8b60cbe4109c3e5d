/** The table as its log describes it, held against what the options say. */
import { EosError, randomId, type Column, type RowSchema } from '@eos/core';
import type { TableColumn, TableDescription, TableEntry } from './log/entry.js';
import { newNonce } from './log/nonce.js';
import type { LogState } from './log/state.js';
import type { Settings } from './options.js';

/**
 * The entry that makes the table, or adds columns to it; undefined where it is as it should be.
 * @throws EOS_SCHEMA where it does not fit the options
 */
export function tableEntry({ table }: LogState, settings: Settings): TableEntry | undefined {
  const wanted = table === undefined ? newTable(settings) : extended(table, settings);
  return wanted === table ? undefined : { kind: 'table', nonce: newNonce(), at: Date.now(), table: wanted };
}

function newTable({ mode, key, visibility, schema }: Settings): TableDescription {
  return { target: randomId().toString(), mode, key, visibility, columns: columnsOf(schema) };
}

/** The same object where nothing is to be added. */
function extended(table: TableDescription, settings: Settings): TableDescription {
  const missing = checkTable(table, settings);
  if (missing.length === 0) return table;
  if (settings.evolution === 'fail') {
    const names = missing.map(({ name }) => name).join(', ');
    throw schemaError(`lacks the columns ${names}: set evolution: 'add-nullable' to add them`, names);
  }
  const wrong = missing.find(({ type }) => !type.endsWith('?'));
  if (wrong !== undefined)
    throw schemaError(
      `lacks the column ${wrong.name}, which can only be added if it may be null`,
      wrong.name,
    );
  return { ...table, columns: [...table.columns, ...missing] };
}

/**
 * Whether rows of these options fit the table.
 * @returns the columns that it lacks
 * @throws EOS_SCHEMA
 */
export function checkTable(
  table: TableDescription,
  { mode, key, visibility, schema }: Settings,
): readonly TableColumn[] {
  if (table.mode !== mode) throw schemaError(`was made with mode: '${table.mode}'`, mode);
  if (table.visibility !== visibility)
    throw schemaError(`was made with visibility: '${table.visibility}'`, visibility);
  if ([...table.key].sort().join() !== [...key].sort().join())
    throw schemaError(`has the key ${table.key.join(', ')}, not ${key.join(', ')}`, key.join(', '));
  const stored = new Map(table.columns.map(({ name, type }) => [name, type]));
  for (const { name, type } of table.columns) {
    if (schema.columns[name] === undefined && !type.endsWith('?'))
      throw schemaError(`has the column ${name} ${type}, which schema lacks`, name);
  }
  return columnsOf(schema).filter(({ name, type }) => {
    const there = stored.get(name);
    if (there === undefined) return true;
    // What may be null in the table need not be null here.
    if (there === type || there === `${type}?`) return false;
    throw schemaError(`has the column ${name} as ${there}, not ${type}`, name);
  });
}

export function columnsOf({ columns }: RowSchema): readonly TableColumn[] {
  return Object.entries(columns).map(([name, column]) => ({ name, type: typeText(column) }));
}

/** As `rowSchemaOf` of core reads it. */
function typeText({ type, isNullable }: Column): string {
  const { kind } = type;
  const size =
    kind === 'decimal' && type.precision !== undefined ? `(${type.precision}, ${type.scale ?? 0})` : '';
  return `${kind}${size}${isNullable ? '?' : ''}`;
}

function schemaError(problem: string, value: string): EosError {
  return new EosError('EOS_SCHEMA', `the table ${problem}`, { details: { value } });
}
