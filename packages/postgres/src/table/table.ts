/** What the catalog says of the table. */
import { EosError } from '@eos/core';
import type { Link, TextRow } from '../connection/connection.js';
import { literal, quoteTable, type TableName } from '../connection/identifiers.js';

/** A column as the catalog has it. */
export interface TableColumn {
  readonly name: string;
  /** Name of its type, below any domain: `int8`, `text`, `_int4`, … */
  readonly type: string;
  /** The same as SQL, with its length or precision: `numeric(10,2)`. */
  readonly sqlType: string;
  /** Length or precision as the catalog holds it; -1 where there is none. */
  readonly modifier: number;
  readonly isEnum: boolean;
  /** False for a collation by which different strings are equal. */
  readonly isDeterministic: boolean;
  readonly isNullable: boolean;
  readonly hasDefault: boolean;
  /** The server makes its value: a generated column, or an identity that is always generated. */
  readonly isGenerated: boolean;
}

export interface Table {
  readonly oid: string;
  /** As the catalog has it, without its schema. */
  readonly name: string;
  /** Qualified and quoted, as SQL. */
  readonly sql: string;
  readonly columns: readonly TableColumn[];
  /** By how many unique indexes and exclusion constraints an insert may have to wait for another transaction; Infinity where a trigger may. */
  readonly insertLocks: number;
  /** The columns of each unique index that an upsert can go by: whole, immediate, without expressions. */
  readonly uniqueKeys: readonly (readonly string[])[];
  /** What this role may do with it: `INSERT`, … and `TEMPORARY` tables in the database. */
  readonly grants: ReadonlySet<string>;
}

/** The table, or undefined where there is none of that name. */
export async function inspectTable(link: Link, table: TableName): Promise<Table | undefined> {
  const oid = `pg_catalog.to_regclass(${literal(quoteTable(table))})`;
  const [found, columns, keys, grants] = await link.run(
    [tableQuery(oid), columnQuery(oid), keyQuery(oid), grantQuery(oid)].join('; '),
  );
  const [id, schema, name, kind, isDurable, locks] = found?.rows[0] ?? [];
  if (typeof id !== 'string' || typeof schema !== 'string' || typeof name !== 'string') return undefined;
  if (kind !== 'r' && kind !== 'p') {
    throw schemaError(
      `${schema}.${name} is no table${KINDS.get(String(kind)) ?? ''}: rows need one that keeps them`,
    );
  }
  if (isDurable !== 't') {
    const problem =
      'is unlogged or temporary, or a partition of it is: a crash of the server would empty it behind its position';
    throw schemaError(`${schema}.${name} ${problem}. ALTER TABLE … SET LOGGED`);
  }
  return {
    oid: id,
    name,
    sql: quoteTable({ schema, name }),
    columns: (columns?.rows ?? []).map(readColumn),
    insertLocks: Number(locks),
    uniqueKeys: readKeys(keys?.rows ?? []),
    grants: new Set((grants?.rows ?? []).map(([grant]) => String(grant))),
  };
}

const KINDS: ReadonlyMap<string, string> = new Map([
  ['v', ', but a view'],
  ['m', ', but a materialized view'],
  ['f', ', but a foreign table, which takes no part in a transaction'],
  ['S', ', but a sequence'],
]);

function tableQuery(oid: string): string {
  return `
    SELECT c.oid, n.nspname, c.relname, c.relkind, NOT EXISTS (
      SELECT FROM pg_catalog.pg_partition_tree(c.oid) t JOIN pg_catalog.pg_class p ON p.oid = t.relid
      WHERE p.relpersistence <> 'p') AND c.relpersistence = 'p',
      (SELECT max(CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_trigger g WHERE g.tgrelid = part.oid) THEN 'Infinity'::float8
        ELSE (SELECT count(*) FROM pg_catalog.pg_index i WHERE i.indrelid = part.oid AND (i.indisunique OR i.indisexclusion)) END)
        FROM (SELECT c.oid UNION SELECT relid FROM pg_catalog.pg_partition_tree(c.oid)) AS part(oid))
    FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ${oid}`;
}

/** A domain has the type, length and precision of what it is made of. */
function columnQuery(oid: string): string {
  return `
    SELECT a.attname, b.typname, pg_catalog.format_type(b.oid, b.modifier), b.modifier, b.typtype = 'e',
      coalesce(l.collisdeterministic, true), a.attnotnull, a.atthasdef OR a.attidentity <> '',
      a.attgenerated <> '' OR a.attidentity = 'a'
    FROM pg_catalog.pg_attribute a
      LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
      CROSS JOIN LATERAL (
        WITH RECURSIVE below AS (
          SELECT t.oid, t.typname, t.typtype, t.typbasetype, t.typtypmod, a.atttypmod AS modifier
            FROM pg_catalog.pg_type t WHERE t.oid = a.atttypid
          UNION ALL
          SELECT t.oid, t.typname, t.typtype, t.typbasetype, t.typtypmod, below.typtypmod
            FROM below JOIN pg_catalog.pg_type t ON t.oid = below.typbasetype WHERE below.typtype = 'd'
        ) SELECT * FROM below WHERE typtype <> 'd') b
    WHERE a.attrelid = ${oid} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`;
}

function readColumn(row: TextRow): TableColumn {
  const [name, type, sqlType, modifier, isEnum, isDeterministic, notNull, hasDefault, isGenerated] = row;
  return {
    name: String(name),
    type: String(type),
    sqlType: String(sqlType),
    modifier: Number(modifier),
    isEnum: isEnum === 't',
    isDeterministic: isDeterministic === 't',
    isNullable: notNull === 'f',
    hasDefault: hasDefault === 't',
    isGenerated: isGenerated === 't',
  };
}

/** One row for each column of each index whose every collation tells different strings apart. */
function keyQuery(oid: string): string {
  return `
    SELECT i.indexrelid, a.attname FROM pg_catalog.pg_index i
      CROSS JOIN LATERAL pg_catalog.generate_series(0, i.indnkeyatts - 1) AS k(place)
      JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.place]
    WHERE i.indrelid = ${oid} AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indisready
      AND i.indpred IS NULL AND i.indexprs IS NULL
      AND NOT EXISTS (SELECT FROM pg_catalog.unnest(i.indcollation) AS c(oid)
        JOIN pg_catalog.pg_collation l ON l.oid = c.oid WHERE NOT l.collisdeterministic)`;
}

function readKeys(rows: readonly TextRow[]): readonly (readonly string[])[] {
  const keys = new Map<string, string[]>();
  for (const [index, column] of rows) {
    const columns = keys.get(String(index)) ?? [];
    keys.set(String(index), [...columns, String(column)]);
  }
  return [...keys.values()];
}

function grantQuery(oid: string): string {
  return `
    SELECT p FROM pg_catalog.unnest(ARRAY['SELECT', 'INSERT', 'UPDATE']) AS g(p)
      WHERE pg_catalog.has_any_column_privilege(${oid}, p)
    UNION ALL SELECT 'DELETE' WHERE pg_catalog.has_table_privilege(${oid}, 'DELETE')
    UNION ALL SELECT 'TEMPORARY' WHERE pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY')`;
}

/** @throws EOS_SCHEMA where the table has no such column */
export function tableColumn(table: Table, name: string): TableColumn {
  const column = table.columns.find((candidate) => candidate.name === name);
  if (column === undefined) throw schemaError(`${table.sql} has no column ${JSON.stringify(name)}`);
  return column;
}

export function schemaError(message: string): EosError {
  return new EosError('EOS_SCHEMA', message);
}
