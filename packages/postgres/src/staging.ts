/** Where the changes of a transaction wait to be merged: a temporary table of the connection, emptied by every COMMIT. */
import { quote, quoteAll } from './identifiers.js';
import { tableColumn, type Table } from './table.js';

/** As errors of its COPY name it. */
export const STAGING = 'eos_staging';

const FROM_STAGING = `pg_temp.${STAGING}`;

/** What the changes of a transaction are like: decides which statements are needed. */
export interface Contents {
  hasDeletes: boolean;
  hasUpserts: boolean;
  /** Whether a key may be in it more than once, from different batches. */
  hasRepeats: boolean;
}

export interface Staging {
  /** Makes the table, once a connection. */
  readonly create: string;
  /** Fills it. A line has the fields of the written columns and a last one, `change`: the number of the batch, negative for a delete. */
  readonly copy: string;
  /** Brings the changes to the target. */
  readonly merge: (contents: Contents) => string;
}

/** Its columns go by their place, so that none can be of the same name as `change`. */
export function planStaging(table: Table, written: readonly string[], key: readonly string[]): Staging {
  const staged = new Map(written.map((name, index) => [name, `c${index}`]));
  const columns = written.map((name, index) => `c${index} ${tableColumn(table, name).sqlType}`);
  const keys = key.map((name) => ({ target: quote(name), staged: staged.get(name) ?? '' }));
  const upsert = upsertText(table, written, key);
  const remove = `DELETE FROM ${table.sql} t USING`;
  const isSame = keys.map((column) => `t.${column.target} = s.${column.staged}`).join(' AND ');
  const keyList = keys.map((column) => column.staged).join(', ');
  const latest = `(SELECT DISTINCT ON (${keyList}) * FROM ${FROM_STAGING} ORDER BY ${keyList}, pg_catalog.abs(change) DESC)`;

  return {
    create: `CREATE TEMPORARY TABLE ${STAGING} (${columns.join(', ')}, change int) ON COMMIT DELETE ROWS`,
    copy: `COPY ${FROM_STAGING} FROM STDIN`,
    merge({ hasDeletes, hasUpserts, hasRepeats }) {
      const source = hasRepeats ? latest : FROM_STAGING;
      return [
        ...(hasDeletes ? [`${remove} ${source} s WHERE s.change < 0 AND ${isSame}`] : []),
        ...(hasUpserts ? [upsert(source, hasDeletes ? 'WHERE s.change > 0' : '')] : []),
        // What is deferred is checked here, so that a COMMIT finds nothing to complain about.
        'SET CONSTRAINTS ALL IMMEDIATE',
      ].join('; ');
    },
  };
}

function upsertText(table: Table, written: readonly string[], key: readonly string[]) {
  const values = written.map((_, index) => `s.c${index}`).join(', ');
  const others = written.filter((name) => !key.includes(name)).map(quote);
  const update =
    others.length === 0
      ? 'DO NOTHING'
      : `DO UPDATE SET ${others.map((name) => `${name} = excluded.${name}`).join(', ')}`;
  return (source: string, filter: string) =>
    `INSERT INTO ${table.sql} (${quoteAll(written)}) SELECT ${values} FROM ${source} s ${filter} ` +
    `ON CONFLICT (${quoteAll(key)}) ${update}`;
}
