/** The table: whether it is the one that the positions belong to, and making it where it is missing. */
import { EosError, randomId, type RowSchema, type SinkContext } from '@eos/core';
import { checkFormat, FORMAT, inSetUp, permissionError } from './catalog.js';
import { readPositions } from './claim.js';
import { sqlType } from '../table/column-types.js';
import type { Link } from '../connection/connection.js';
import { isServerError } from '../connection/error-map.js';
import { evolve } from '../table/evolution.js';
import type { LockRetry } from './lock-retry.js';
import { quote, quoteAll, quoteTable } from '../connection/identifiers.js';
import type { Settings } from '../options.js';
import { hashColumn, hashIndex } from '../retract/row-hash.js';
import { namesTable } from './targets.js';
import { checkFitness } from '../table/table-fitness.js';
import { inspectTable, schemaError, type Table } from '../table/table.js';

/** A table that was found fit to write to. */
export interface Target {
  readonly table: Table;
  /** Random identity that Eos keeps for the table: another after it was dropped and made again. */
  readonly id: string;
}

/**
 * Finds the table, or makes it where that is allowed, and its identity.
 * @param retry how to take the lock that adding columns needs
 * @param route its name among several tables
 * @throws EOS_SCHEMA, EOS_PERMISSION, EOS_TARGET_CHANGED where positions exist and the table does not
 */
export async function openTarget(
  link: Link,
  settings: Settings,
  context: SinkContext,
  retry: LockRetry,
  route?: string,
): Promise<Target> {
  const found = await findTable(link, settings, context, route);
  const table =
    found === undefined ? await makeTable(link, settings) : await evolve(link, settings, found, retry);
  checkGrants(table, settings.mode);
  await checkFitness(link, table, settings);
  return { table, id: await identify(link, table) };
}

/**
 * The table, or undefined where it has yet to be made. Only reads.
 * @param route its name among several tables
 * @throws EOS_SCHEMA where it is missing and may not be made, EOS_TARGET_CHANGED where positions exist and the table does not
 */
export async function findTable(
  link: Link,
  settings: Settings,
  context: SinkContext,
  route?: string,
): Promise<Table | undefined> {
  const table = await inspectTable(link, settings.table);
  if (table !== undefined) return table;
  const sql = quoteTable(settings.table);
  const positions = await readPositions(link, context);
  if ([...positions.values()].some(({ epoch, target }) => epoch > 0n && namesTable(target, route))) {
    throw new EosError(
      'EOS_TARGET_CHANGED',
      `positions of ${context.pipeline}/${context.sink} are stored, but their table ${sql} is gone: restore it, or start ` +
        `over under another pipeline id or sink name`,
    );
  }
  if (!settings.create || context.mustExist === true) {
    throw schemaError(`table ${sql} does not exist: make it, or give a schema and create: true`);
  }
  return undefined;
}

async function makeTable(link: Link, settings: Settings): Promise<Table> {
  const sql = quoteTable(settings.table);
  if (settings.schema === undefined) throw schemaError(`a table ${sql} cannot be made without a schema`);
  await inSetUp(link, createTable(sql, settings.schema, settings)).catch((error: unknown) => {
    // Another process was first.
    if (!isServerError(error) || error.code !== DUPLICATE_TABLE) throw error;
  });
  const table = await inspectTable(link, settings.table);
  if (table === undefined) throw schemaError(`table ${sql} was made, but cannot be seen`);
  return table;
}

const DUPLICATE_TABLE = '42P07';

function createTable(sql: string, schema: RowSchema, { mode, key }: Settings): string {
  const body = tableBody(schema, key);
  if (mode !== 'retract') return `CREATE TABLE ${sql} (${body})`;
  return `CREATE TABLE ${sql} (${body}, ${hashColumn(schema.names, quote)}); ${hashIndex(sql)}`;
}

function tableBody({ names, columns }: RowSchema, key: readonly string[]): string {
  const lines = names.map((name) => {
    const column = columns[name];
    if (column === undefined)
      throw schemaError(`the schema names ${JSON.stringify(name)} but does not describe it`);
    return `${quote(name)} ${sqlType(column.type)}${column.isNullable ? '' : ' NOT NULL'}`;
  });
  return [...lines, ...(key.length === 0 ? [] : [`PRIMARY KEY (${quoteAll(key)})`])].join(', ');
}

/**
 * The identity of the table, tied to the object itself: one that was renamed keeps it, one that was dropped and made again under
 * the same name gets a new one, and a dump brings it back by name.
 */
async function identify(link: Link, table: Table): Promise<string> {
  const object = `${table.oid}::regclass`;
  const find = `SELECT id, format FROM eos.targets WHERE object = ${object}`;
  const known = await readTarget(link, find);
  if (known !== undefined) return known;
  await checkTargetGrants(link);
  // What is gone goes: its number might one day be given to another table.
  await inSetUp(
    link,
    `DELETE FROM eos.targets t WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = t.object);
     INSERT INTO eos.targets (object, id, format) VALUES (${object}, '${randomId()}', ${FORMAT}) ON CONFLICT DO NOTHING`,
  );
  const made = await readTarget(link, find);
  if (made === undefined) throw schemaError(`the identity of ${table.sql} cannot be read back`);
  return made;
}

/** @throws EOS_PERMISSION */
async function checkTargetGrants(link: Link): Promise<void> {
  const [answer] = await link.run(`
    SELECT p || ' ON eos.targets' FROM pg_catalog.unnest(ARRAY['INSERT', 'DELETE']) AS g(p)
    WHERE NOT pg_catalog.has_table_privilege('eos.targets', p)`);
  const missing = (answer?.rows ?? []).map(([grant]) => String(grant));
  if (missing.length > 0) throw permissionError(missing);
}

async function readTarget(link: Link, find: string): Promise<string | undefined> {
  const [answer] = await link.run(find);
  const [id, format] = answer?.rows[0] ?? [];
  checkFormat(format, 'the record of the table');
  return id ?? undefined;
}

const NEEDED = {
  append: ['INSERT'],
  upsert: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  retract: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
} as const;

/** @throws EOS_PERMISSION with the grants that this role lacks to write rows */
function checkGrants({ grants, sql }: Table, mode: keyof typeof NEEDED): void {
  const missing = NEEDED[mode].filter((grant) => !grants.has(grant)).map((grant) => `${grant} ON ${sql}`);
  if (mode !== 'append' && !grants.has('TEMPORARY')) missing.push('TEMPORARY ON DATABASE');
  if (missing.length > 0) throw permissionError(missing);
}
