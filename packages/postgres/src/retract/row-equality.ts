/**
 * Which rows are equal: those that the server takes as equal, column by column, by the default equality of each type, where null equals
 * null (`IS NOT DISTINCT FROM`, whatever `search_path` says). Types for which there is none are refused.
 */
import type { Link } from '../connection/connection.js';
import { isServerError } from '../connection/error-map.js';
import { hashExpression, valueIn, type ValueOf } from './row-hash.js';
import { schemaError, tableColumn, type Table } from '../table/table.js';

/** Two rows as SQL: whether they are equal. */
export function equalRows(columns: readonly string[], left: ValueOf, right: ValueOf): string {
  const row = (valueOf: ValueOf) => `ROW(${columns.map(valueOf).join(', ')})`;
  return `pg_catalog.record_eq(${row(left)}, ${row(right)})`;
}

/** @throws EOS_SCHEMA with the columns whose type has no equality */
export async function checkEquality(link: Link, table: Table, columns: readonly string[]): Promise<void> {
  const value = valueIn(table, 't');
  const able = await columnsWith(link, table, columns, (some) => equalRows(some, value, value));
  const without = columns.filter((name) => !able.includes(name));
  if (without.length === 0) return;
  const named = without.map((name) => `${JSON.stringify(name)} (${tableColumn(table, name).sqlType})`);
  throw schemaError(
    `mode: 'retract' finds rows by their equality, and PostgreSQL has none for ${named.join(', ')} of ${table.sql}: leave the ` +
      `column out, or make it text or jsonb`,
  );
}

/** Those that can be hashed: not every type with an equality has a hash function. */
export function hashableColumns(
  link: Link,
  table: Table,
  columns: readonly string[],
): Promise<readonly string[]> {
  return columnsWith(link, table, columns, (some) => hashExpression(some, valueIn(table, 't')));
}

/** Functions of records look their columns' functions up before they look at a value, also at nulls. */
async function columnsWith(
  link: Link,
  table: Table,
  columns: readonly string[],
  expression: (columns: readonly string[]) => string,
): Promise<readonly string[]> {
  const works = async (some: readonly string[]) => {
    const nulls = `(VALUES (0)) AS one LEFT JOIN ${table.sql} t ON false`;
    try {
      await link.run(`SELECT ${expression(some)} FROM ${nulls}`);
      return true;
    } catch (error) {
      if (isServerError(error) && error.code === UNDEFINED_FUNCTION) return false;
      throw error;
    }
  };
  if (await works(columns)) return columns;
  const able: string[] = [];
  for (const name of columns) if (await works([name])) able.push(name);
  return able;
}

const UNDEFINED_FUNCTION = '42883';

/**
 * A multiset holds equal rows: a unique index on what is written would refuse them, and a row that is replaced within a transaction.
 * @throws EOS_SCHEMA with the name of the index
 */
export async function checkMultiset(link: Link, table: Table, written: readonly string[]): Promise<void> {
  const [answer] = await link.run(`
    SELECT c.relname, a.attname FROM pg_catalog.pg_index i
      JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
      CROSS JOIN LATERAL pg_catalog.generate_series(0, i.indnkeyatts - 1) AS k(place)
      LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.place]
    WHERE (i.indisunique OR i.indisexclusion) AND i.indrelid IN (
      SELECT ${table.oid}::pg_catalog.oid UNION SELECT relid FROM pg_catalog.pg_partition_tree(${table.oid}))`);
  // A place without a column is an expression, of whichever.
  const unique = answer?.rows.find(([, column]) => typeof column !== 'string' || written.includes(column));
  if (unique === undefined) return;
  const problem = `but ${JSON.stringify(unique[0])} of ${table.sql} is a unique index or exclusion constraint on them`;
  throw schemaError(
    `mode: 'retract' keeps equal rows, ${problem}: set mode: 'upsert' with a key, or drop it`,
  );
}
