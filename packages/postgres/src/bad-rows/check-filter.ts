/**
 * CHECK constraints as a condition of the COPY itself: a row that one of them rejects is left out and told of, and those behind it need
 * not be sent again. Which row it was is told as a notice, in whose context the server names the line as it does in an error.
 */
import type { Link } from '../connection/connection.js';
import { quoteAll } from '../connection/identifiers.js';
import type { ServerError } from '../connection/error-map.js';
import { fieldsOf } from '../copy/copy-text.js';
import type { Table } from '../table/table.js';

export interface CheckFilter {
  /** The condition of a COPY, which tells of its rows by this number. */
  readonly condition: (segment: number) => string;
}

/** A row that was left out. */
export interface LeftOut {
  readonly segment: number;
  /** What the server would have failed with, had the row got as far as its table. */
  readonly error: ServerError;
}

const MESSAGE = 'eos left a row out';
export const CHECK_VIOLATION = '23514';
/** Of the values of a row, as much as a message may need. */
const SHOWN_LENGTH = 500;

/**
 * A constraint that is gone by now rejects nothing: the transaction holds the table, so that it does not change in between.
 * It lasts as long as the connection.
 */
const FUNCTION = `
CREATE OR REPLACE FUNCTION pg_temp.eos_left_out(a_segment int, a_constraint oid, a_row text)
RETURNS bool LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
  found_name text;
BEGIN
  SELECT c.conname INTO found_name FROM pg_catalog.pg_constraint c WHERE c.oid = a_constraint;
  IF found_name IS NULL THEN
    RETURN true;
  END IF;
  RAISE NOTICE USING MESSAGE = '${MESSAGE}', DETAIL = pg_catalog.json_build_object('segment', a_segment,
    'constraint', found_name, 'row', a_row)::text;
  RETURN false;
END $function$`;

/**
 * In the order in which the server checks them. Not those that ask for what a condition of COPY cannot see (a generated column, the row
 * as a whole), and none where a trigger may change the row first: what they reject is found as any other bad row is.
 */
function constraintQuery(oid: string): string {
  return `
    SELECT c.oid, pg_catalog.pg_get_expr(c.conbin, c.conrelid) FROM pg_catalog.pg_constraint c
    WHERE c.conrelid = ${oid} AND c.contype = 'c' AND pg_catalog.to_jsonb(c) ->> 'conenforced' IS DISTINCT FROM 'false'
      AND c.conkey IS NOT NULL AND NOT EXISTS (
        SELECT FROM pg_catalog.unnest(c.conkey) AS k(number)
          LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number AND a.attnum > 0
        WHERE a.attname IS NULL OR a.attgenerated <> '')
      AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_trigger g
        WHERE g.tgrelid IN (SELECT c.conrelid UNION SELECT relid FROM pg_catalog.pg_partition_tree(c.conrelid))
          AND g.tgtype & ${BEFORE_ROW_INSERT} = ${BEFORE_ROW_INSERT})
    ORDER BY c.conname`;
}

/** Bits of `tgtype`. */
const BEFORE_ROW_INSERT = 1 | 2 | 4;

/**
 * Readies a connection. Undefined where the table has no such constraint, or the role may not make what is temporary.
 * @param written the columns of the COPY
 */
export async function readCheckFilter(
  link: Link,
  table: Table,
  written: readonly string[],
): Promise<CheckFilter | undefined> {
  if (!table.grants.has('TEMPORARY')) return undefined;
  const [answer] = await link.run(constraintQuery(table.oid));
  const checks = (answer?.rows ?? []).map(([oid, expression]) => [String(oid), String(expression)] as const);
  if (checks.length === 0) return undefined;
  // Whatever a role's own setting is: a notice that is not sent would be missed.
  await link.run(`SET client_min_messages = notice; ${FUNCTION}`);
  const row = `pg_catalog.left(ROW(${quoteAll(written)})::pg_catalog.text, ${SHOWN_LENGTH})`;
  return {
    condition(segment) {
      const cases = checks.map(
        ([oid, expression]) =>
          `WHEN (${expression}) IS FALSE THEN pg_temp.eos_left_out(${segment}, ${oid}::pg_catalog.oid, ${row})`,
      );
      return `CASE ${cases.join(' ')} ELSE true END`;
    },
  };
}

/** What a notice tells of a row of `table`; undefined for any other notice. */
export function readLeftOut(notice: unknown, table: string): LeftOut | undefined {
  const { message, detail, where } = fieldsOf(notice);
  if (message !== MESSAGE || typeof detail !== 'string' || typeof where !== 'string') return undefined;
  const { segment, constraint, row } = fieldsOf(JSON.parse(detail));
  const problem = `new row for relation "${table}" violates check constraint "${String(constraint)}"`;
  const error = Object.assign(new Error(problem), {
    code: CHECK_VIOLATION,
    severity: 'ERROR',
    detail: `Failing row contains ${String(row)}.`,
    constraint: String(constraint),
    table,
    where,
  });
  return { segment: Number(segment), error };
}
