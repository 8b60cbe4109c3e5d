/**
 * The column by which rows that go are found: a 64-bit hash of the row, generated and stored by the server, with an index.
 *
 * The server computes it, with the hash function that belongs to the equality of each column's type: whatever it takes as equal has the
 * same hash, by its own definition, also after an UPDATE by hand or a restore. The hash only narrows the search; equality decides.
 * https://www.postgresql.org/docs/current/ddl-generated-columns.html
 */
import type { Link } from '../connection/connection.js';
import { literal, quote } from '../connection/identifiers.js';
import { schemaError, type Table } from '../table/table.js';

export const ROW_HASH = 'eos_row_hash';

/** Columns of a row as SQL, by name. */
export type ValueOf = (column: string) => string;

/** The hash of these columns. Of none: the same for all rows. */
export function hashExpression(columns: readonly string[], valueOf: ValueOf): string {
  if (columns.length === 0) return '0::bigint';
  return `pg_catalog.hash_record_extended(ROW(${columns.map(valueOf).join(', ')}), 0)`;
}

/** The column in a CREATE TABLE or ALTER TABLE. */
export function hashColumn(columns: readonly string[], valueOf: ValueOf): string {
  return `${ROW_HASH} bigint GENERATED ALWAYS AS (${hashExpression(columns, valueOf)}) STORED`;
}

/** The index: a b-tree, since equal rows have equal hashes, and there may be many of them. */
export function hashIndex(table: string): string {
  return `CREATE INDEX ON ${table} (${ROW_HASH})`;
}

/**
 * The columns that the table's own hash is made of, or undefined where it has none.
 * @throws EOS_SCHEMA where a column of that name is computed in another way, from columns that are not written, or has no index
 */
export async function inspectRowHash(
  link: Link,
  table: Table,
  written: readonly string[],
): Promise<readonly string[] | undefined> {
  if (!table.columns.some(({ name }) => name === ROW_HASH)) return undefined;
  const [found, parts] = await link.run([hashQuery(table.oid), partQuery(table.oid)].join('; '));
  const [type, expression, hasIndex] = found?.rows[0] ?? [];
  const columns = (parts?.rows ?? []).map(([name, quoted]) => ({
    name: String(name),
    quoted: String(quoted),
  }));
  const fields = columns.map(({ name, quoted }) => (isJson(table, name) ? `(${quoted})::text` : quoted));
  // As the server writes back what `hashColumn` says.
  if (
    type !== 'stored bigint' ||
    expression !== `hash_record_extended(ROW(${fields.join(', ')}), (0)::bigint)`
  ) {
    throw schemaError(
      `${ROW_HASH} of ${table.sql} is a column that Eos would make in another way: rename it, or make it as Eos does`,
    );
  }
  const left = columns.find(({ name }) => !written.includes(name));
  if (left !== undefined) {
    const problem = `is computed from ${JSON.stringify(left.name)}, which the rows leave out`;
    throw schemaError(`${ROW_HASH} of ${table.sql} ${problem}: make it anew from columns that are written`);
  }
  if (hasIndex !== 't')
    throw schemaError(`${ROW_HASH} of ${table.sql} needs an index: ${hashIndex(table.sql)}`);
  return columns.map(({ name }) => name);
}

/** JSON as text has no equality of its own; it is compared, and hashed, as its text. */
export function isJson(table: Table, name: string): boolean {
  return table.columns.some((column) => column.name === name && column.type === 'json');
}

/** A column of `alias` as it is hashed and compared. */
export function valueIn(table: Table, alias: string): ValueOf {
  const prefix = alias === '' ? '' : `${alias}.`;
  return (name) => `${prefix}${quote(name)}${isJson(table, name) ? '::text' : ''}`;
}

function hashQuery(oid: string): string {
  return `
    SELECT CASE a.attgenerated WHEN 's' THEN 'stored ' ELSE '' END || pg_catalog.format_type(a.atttypid, a.atttypmod),
      pg_catalog.pg_get_expr(d.adbin, d.adrelid),
      EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = a.attrelid AND i.indkey[0] = a.attnum
        AND i.indisvalid AND i.indpred IS NULL)
    FROM pg_catalog.pg_attribute a
      LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = ${oid} AND a.attname = ${literal(ROW_HASH)}`;
}

/** The columns that it depends on, in the order of the table. */
function partQuery(oid: string): string {
  return `
    SELECT p.attname, pg_catalog.quote_ident(p.attname) FROM pg_catalog.pg_attribute a
      JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
      JOIN pg_catalog.pg_attribute p ON p.attrelid = a.attrelid AND p.attnum <> a.attnum AND EXISTS (
        SELECT FROM pg_catalog.pg_depend u WHERE u.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND u.objid = d.oid
          AND u.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND u.refobjid = a.attrelid AND u.refobjsubid = p.attnum)
    WHERE a.attrelid = ${oid} AND a.attname = ${literal(ROW_HASH)} ORDER BY p.attnum`;
}
