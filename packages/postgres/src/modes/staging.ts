/** Where the changes of a transaction wait to be merged: a temporary table of the connection, emptied by every COMMIT. */
import { quote, quoteAll } from '../connection/identifiers.js';
import { tableColumn, type Table } from '../table/table.js';

/** As errors of its COPY name it. */
export const STAGING = 'eos_staging';

/** What the changes of a transaction are like: decides which statements are needed. */
export interface Contents {
  hasDeletes: boolean;
  hasUpserts: boolean;
  /** Whether a key may be in it more than once, from different batches. */
  hasRepeats: boolean;
}

/** The statements of a transaction. */
export interface Staging {
  /** Makes the table, once a connection. */
  readonly create: string;
  /** Fills it. A line has the fields of the written columns and a last one, `change`: the number of the batch, negative for a delete. */
  readonly copy: string;
  /** The same from lines without `change`: upserts of a first batch. */
  readonly copyFirst: string;
  /** Brings the changes to the target. */
  readonly changes: (contents: Contents) => string | undefined;
  /** The same, and checks what is deferred. */
  readonly merge: (contents: Contents) => string;
}

/** What is deferred is checked before the COMMIT, so that a COMMIT finds nothing to complain about. */
export const CHECK = 'SET CONSTRAINTS ALL IMMEDIATE';

/** The staging table's columns go by their place, so that none can be of the same name as `change`. */
export function planStaging(
  table: Table,
  written: readonly string[],
  key: readonly string[],
  name = STAGING,
): Staging {
  const from = `pg_temp.${name}`;
  const staged = new Map(written.map((name, index) => [name, `c${index}`]));
  const columns = written.map((name, index) => `c${index} ${tableColumn(table, name).sqlType}`);
  const keys = key.map((name) => ({ target: quote(name), staged: staged.get(name) ?? '' }));
  const isSame = keys.map((column) => `t.${column.target} = s.${column.staged}`).join(' AND ');
  const keyList = keys.map((column) => column.staged).join(', ');
  const latest = `(SELECT DISTINCT ON (${keyList}) * FROM ${from} ORDER BY ${keyList}, pg_catalog.abs(change) DESC)`;
  const values = written.map((_, index) => `s.c${index}`).join(', ');

  const source = ({ hasRepeats }: Contents) => (hasRepeats ? latest : from);
  const remove = (contents: Contents) => {
    if (!contents.hasDeletes) return [];
    return [`DELETE FROM ${table.sql} t USING ${source(contents)} s WHERE s.change < 0 AND ${isSame}`];
  };
  const upsert = (contents: Contents) => {
    if (!contents.hasUpserts) return [];
    const upserts = contents.hasDeletes ? 'WHERE s.change > 0' : '';
    const rows = `SELECT ${values} FROM ${source(contents)} s ${upserts}`;
    return [`INSERT INTO ${table.sql} (${quoteAll(written)}) ${rows} ${onConflict(written, key)}`];
  };
  return {
    create: `CREATE TEMPORARY TABLE ${name} (${columns.join(', ')}, change int DEFAULT 1) ON COMMIT DELETE ROWS`,
    copy: `COPY ${from} FROM STDIN`,
    copyFirst: `COPY ${from} (${[...staged.values()].join(', ')}) FROM STDIN`,
    changes: (contents) => {
      const statements = [...remove(contents), ...upsert(contents)];
      return statements.length === 0 ? undefined : statements.join('; ');
    },
    merge: (contents) => [...remove(contents), ...upsert(contents), CHECK].join('; '),
  };
}

function onConflict(written: readonly string[], key: readonly string[]): string {
  const others = written.filter((name) => !key.includes(name)).map(quote);
  const sets = others.map((name) => `${name} = excluded.${name}`).join(', ');
  return `ON CONFLICT (${quoteAll(key)}) ${others.length === 0 ? 'DO NOTHING' : `DO UPDATE SET ${sets}`}`;
}
