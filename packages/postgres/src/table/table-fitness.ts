/** What about a table would make of rows something else than they say: refused before the first row. */
import { permissionError } from '../law/catalog.js';
import type { Link } from '../connection/connection.js';
import { literal, quoteAll } from '../connection/identifiers.js';
import type { Mode, Settings } from '../options.js';
import { schemaError, type Table } from './table.js';

type Asked = Pick<Settings, 'mode' | 'key' | 'schema' | 'columns'>;

/**
 * Rules, policies, child tables and column grants, as this role meets them.
 * @throws EOS_SCHEMA, EOS_PERMISSION
 */
export async function checkFitness(link: Link, table: Table, asked: Asked): Promise<void> {
  const [answer, grants] = await link.run(`${objectQuery(table, asked.mode)}; ${grantQuery(table, asked)}`);
  const found = new Map((answer?.rows ?? []).map(([kind, name]) => [kind, name]));
  const refuse = (problem: string): never => {
    throw schemaError(`${table.sql} ${problem}`);
  };
  const rule = found.get('rule');
  if (rule !== undefined) refuse(`has the rule ${String(rule)}, which COPY passes by: use a trigger instead`);
  if (found.has('children') && asked.mode !== 'append') {
    refuse('has child tables, for which its indexes do not hold: write to one of them, or partition it');
  }
  if (found.has('security') && asked.mode !== 'upsert') {
    refuse(
      'has row-level security, under which PostgreSQL takes no COPY: give the role BYPASSRLS, or use upsert',
    );
  }
  if (found.has('hidden')) {
    refuse(
      `has policies that may hide rows from this role, which it could then neither update nor delete: give it policies FOR SELECT, ` +
        `UPDATE and DELETE USING (true), or BYPASSRLS`,
    );
  }
  const missing = (grants?.rows ?? []).map(([grant]) => String(grant));
  if (missing.length > 0) throw permissionError(missing);
}

function objectQuery({ oid }: Table, mode: Mode): string {
  // UPDATE, INSERT, DELETE.
  const events = mode === 'append' ? `'3'` : `'2', '3', '4'`;
  return `
    SELECT 'rule', min(rulename) FROM pg_catalog.pg_rewrite
      WHERE ev_class = ${oid} AND ev_enabled <> 'D' AND ev_type IN (${events}) HAVING count(*) > 0
    UNION ALL SELECT 'children', NULL FROM pg_catalog.pg_class c
      WHERE c.oid = ${oid} AND c.relkind = 'r' AND EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE inhparent = c.oid)
    UNION ALL SELECT 'security', NULL WHERE pg_catalog.row_security_active(${oid}::pg_catalog.oid)
    UNION ALL SELECT 'hidden', NULL WHERE pg_catalog.row_security_active(${oid}::pg_catalog.oid) AND EXISTS (
      SELECT FROM (VALUES ('r'), ('w'), ('d')) AS command(letter)
      WHERE coalesce((SELECT bool_or(polpermissive AND sees) AND bool_and(polpermissive OR sees) FROM (
          SELECT p.polpermissive, pg_catalog.pg_get_expr(p.polqual, p.polrelid) IS NOT DISTINCT FROM 'true' AS sees
          FROM pg_catalog.pg_policy p
          WHERE p.polrelid = ${oid} AND p.polcmd::text IN (command.letter, '*') AND EXISTS (
            SELECT FROM pg_catalog.unnest(p.polroles) AS r(id) WHERE r.id = 0 OR pg_catalog.pg_has_role(r.id, 'USAGE'))
        ) AS applied), false) = false)`;
}

/** A grant may be on some columns only. The table's own are checked elsewhere. */
function grantQuery(table: Table, { mode, key, schema, columns }: Asked): string {
  const others = table.columns.filter(({ isGenerated }) => !isGenerated).map(({ name }) => name);
  const written = schema?.names ?? columns ?? others;
  const needed: readonly (readonly [string, readonly string[]])[] = [
    ['INSERT', written],
    // What an ON CONFLICT sets is read, too.
    ...(mode === 'append' ? [] : [['SELECT', written] as const]),
    ...(mode === 'upsert' ? [['UPDATE', written.filter((name) => !key.includes(name))] as const] : []),
  ];
  const known = new Set(table.columns.map(({ name }) => name));
  const lines = needed.flatMap(([grant, names]) =>
    names
      .filter((name) => known.has(name))
      .map(
        (name) =>
          `(${literal(grant)}, ${literal(name)}, ${literal(`${grant} (${quoteAll([name])}) ON ${table.sql}`)})`,
      ),
  );
  if (lines.length === 0) return 'SELECT WHERE false';
  return `
    SELECT text FROM (VALUES ${lines.join(', ')}) AS needed(privilege, name, text)
    WHERE NOT pg_catalog.has_column_privilege(${table.oid}::pg_catalog.oid, name, privilege)`;
}
