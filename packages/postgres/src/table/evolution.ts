/** Columns of the schema that the table does not have yet. */
import { EosError, rowSchema, type Column, type RowSchema } from '@eos/core';
import { inSetUp } from '../law/catalog.js';
import { sqlType } from './column-types.js';
import type { Link } from '../connection/connection.js';
import type { LockRetry } from '../law/lock-retry.js';
import { isServerError } from '../connection/error-map.js';
import { quote } from '../connection/identifiers.js';
import type { Settings } from '../options.js';
import { inspectTable, schemaError, type Table } from './table.js';

/** What to do about columns of the schema that the table lacks. */
export type Evolution = 'fail' | 'add-nullable';

type Missing = readonly (readonly [string, Column])[];

/** @throws EOS_SCHEMA with every column that is missing, and the statement that adds them */
export function checkMissing({ schema }: Settings, table: Table): void {
  const missing = missingColumns(schema, table);
  if (missing.length === 0) return;
  const names = missing.map(([name]) => JSON.stringify(name)).join(', ');
  const fix = `${addColumns(table, missing)} — or set evolution: 'add-nullable'`;
  throw schemaError(`${table.sql} has no column ${names} of the schema: ${fix}`);
}

/**
 * The table with what was missing, added as columns that take null: the rows that are there have no value for them. Processes that
 * do it at once take turns, and the first one's columns count. An earlier session that hangs may hold the table, and the claim that
 * fences it comes later: so it is dealt with here already.
 * @throws EOS_PERMISSION where this role is not the table's owner; and what `retry` throws where the table stays locked
 */
export async function evolve(link: Link, settings: Settings, table: Table, retry: LockRetry): Promise<Table> {
  const missing = settings.evolution === 'fail' ? [] : missingColumns(settings.schema, table);
  if (missing.length === 0) return table;
  const statement = addColumns(table, missing);
  // Whoever reads or writes the table waits behind it: so it must not wait long itself.
  const limit = `SET LOCAL lock_timeout = ${settings.lockTimeoutMs}`;
  const add = () => inSetUp(link, `${limit}; ${statement}`);
  await retry(table.sql, add).catch((error: unknown) => {
    throw isServerError(error) && error.code === NOT_OWNER ? ownerError(table, statement, error) : error;
  });
  return (await inspectTable(link, settings.table)) ?? table;
}

const NOT_OWNER = '42501';

/** What can be checked while the columns have yet to be added. */
export function withoutMissing(settings: Settings, table: Table): Settings {
  const { schema, evolution } = settings;
  if (evolution === 'fail' || schema === undefined) return settings;
  const missing = new Set(missingColumns(schema, table).map(([name]) => name));
  const present = Object.entries(schema.columns).filter(([name]) => !missing.has(name));
  if (missing.size === 0 || present.length === 0) return settings;
  return { ...settings, schema: rowSchema(Object.fromEntries(present)) };
}

function missingColumns(schema: RowSchema | undefined, table: Table): Missing {
  const there = new Set(table.columns.map(({ name }) => name));
  return Object.entries(schema?.columns ?? {}).filter(([name]) => !there.has(name));
}

function addColumns(table: Table, missing: Missing): string {
  const added = missing.map(([name, { type }]) => `ADD COLUMN IF NOT EXISTS ${quote(name)} ${sqlType(type)}`);
  return `ALTER TABLE ${table.sql} ${added.join(', ')}`;
}

function ownerError(table: Table, statement: string, cause: unknown): EosError {
  const message = `only the owner of ${table.sql} may add columns; let him run: ${statement}`;
  return new EosError('EOS_PERMISSION', message, { cause });
}
