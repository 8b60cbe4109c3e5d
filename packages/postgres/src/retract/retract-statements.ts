/** The statements of retract: how as many copies of a row go as were taken back, and no more. */
import type { Answer } from '../connection/connection.js';
import { quote } from '../connection/identifiers.js';
import { equalRows } from './row-equality.js';
import { hashExpression, isJson, ROW_HASH, valueIn, type ValueOf } from './row-hash.js';
import { CHECK } from '../modes/staging.js';
import type { Table } from '../table/table.js';

/** Where the rows that go wait, as errors of its COPY name it. */
export const RETRACTIONS = 'eos_retractions';

/** Where those are kept that a look-up did not find. */
const SHORT = 'eos_short';

/** How a row that goes is found. */
export interface Search {
  /** The columns that are hashed. */
  readonly hashed: readonly string[];
  /** Whether the table keeps that hash in a column with an index; else the whole table is read. */
  readonly isIndexed: boolean;
}

/** What {@link RetractStatements.remove} did not find, by the place that lines gave. */
export interface Short {
  readonly place: number;
  /** Distinct rows of which copies are missing. */
  readonly rows: number;
  /** Copies that are missing. */
  readonly copies: number;
  /** Where the first of them came from, by what its line gave. */
  readonly offset: bigint | undefined;
  /** Copies of any row that were there when it looked: 0 means that another look would find no more. */
  readonly found: number;
}

export interface RetractStatements {
  /** Makes the temporary tables, once a connection. */
  readonly create: string;
  /** Empties them, where a transaction is written in parts. */
  readonly again: string;
  /** Fills them. A line has the fields of the written columns, the number of copies, and where the last of them came from: two numbers. */
  readonly stage: string;
  /**
   * Deletes those copies. The first `attempt` is 1; the next ones look for what was missing, with a new snapshot: a row that another
   * transaction has changed meanwhile is not where it was seen, but may be there still.
   */
  readonly remove: (attempt: number) => string;
}

export function planRetract(table: Table, written: readonly string[], search: Search): RetractStatements {
  const places = new Map(written.map((name, index) => [name, `c${index}`]));
  const staged = [...places.values()].join(', ');
  const target = valueIn(table, 't');
  const staging: ValueOf = (name) => `${places.get(name) ?? ''}${isJson(table, name) ? '::text' : ''}`;
  const wanted: ValueOf = (name) => `w.${staging(name)}`;
  const isEqual = equalRows(written, target, wanted);
  const hash = search.isIndexed ? `t.${ROW_HASH}` : hashExpression(search.hashed, target);
  const matches = `${hash} = w.hash AND ${isEqual}`;
  const columns = [...places].map(([name, place]) => `t.${quote(name)} AS ${place}`).join(', ');
  const empty = (more: string) =>
    `ON COMMIT DELETE ROWS AS SELECT ${columns}, ${more} FROM ${table.sql} t WITH NO DATA`;

  // What is grouped by its text is read back from it.
  const grouped = [...places].map(([name, place]) =>
    isJson(table, name) ? `${place}::text::json AS ${place}` : place,
  );
  const first = `
      SELECT ${grouped.join(', ')}, ${hashExpression(search.hashed, staging)} AS hash, pg_catalog.sum(copies)::bigint AS copies,
        pg_catalog.max(ARRAY[place, source_offset]) AS origin
      FROM pg_temp.${RETRACTIONS} GROUP BY ${written.map(staging).join(', ')}`;
  const again = (attempt: number) =>
    `SELECT ${staged}, hash, copies, origin FROM pg_temp.${SHORT} WHERE attempt = ${attempt - 1}`;
  const chosen = search.isIndexed ? chosenByIndex(table, matches) : chosenByScan(table, matches);

  return {
    create: `
      CREATE TEMPORARY TABLE ${RETRACTIONS} ${empty('0::bigint AS copies, 0::bigint AS place, 0::bigint AS source_offset')};
      CREATE TEMPORARY TABLE ${SHORT} ${empty('0::bigint AS hash, 0::bigint AS copies, ARRAY[0::bigint] AS origin, 0 AS attempt')}`,
    stage: `COPY pg_temp.${RETRACTIONS} FROM STDIN`,
    again: `; TRUNCATE pg_temp.${RETRACTIONS}, pg_temp.${SHORT}`,
    remove: (attempt) => `
      ${search.isIndexed ? USE_INDEX : ''}
      WITH wanted AS MATERIALIZED (
        SELECT pg_catalog.row_number() OVER () AS number, sorted.* FROM (
          SELECT * FROM (${attempt === 1 ? first : again(attempt)}) AS rows ORDER BY hash) AS sorted),
      chosen AS MATERIALIZED (${chosen}),
      gone AS (
        DELETE FROM ${table.sql} t USING chosen WHERE t.tableoid = chosen.relation AND t.ctid = chosen.tuple
        RETURNING chosen.number),
      counted AS (SELECT number, pg_catalog.count(*) AS copies FROM gone GROUP BY number),
      short AS (
        INSERT INTO pg_temp.${SHORT}
        SELECT ${[...places.values()].map((place) => `w.${place}`).join(', ')}, w.hash,
          w.copies - coalesce(counted.copies, 0), w.origin, ${attempt}
        FROM wanted w LEFT JOIN counted USING (number) WHERE w.copies > coalesce(counted.copies, 0)
        RETURNING copies, origin)
      SELECT origin[1], pg_catalog.count(*), pg_catalog.sum(copies), pg_catalog.min(origin[2]),
        (SELECT pg_catalog.count(*) FROM chosen)
      FROM short GROUP BY 1 ORDER BY 1;
      ${CHECK}`,
  };
}

/** The table may never have been analyzed: what the planner would guess of it must not lead to reading all of it. */
const USE_INDEX = 'SET LOCAL enable_seqscan = off;';

/**
 * As many copies as are wanted, each locked as it is found: a DELETE by place alone may take a row that was changed meanwhile, as the
 * server does not compare it again. LIMIT stands above the locks: a copy that was deleted while its lock was waited for does not count, and
 * the next one is taken. Rows are locked in the order of their hashes, so that sessions do not deadlock.
 */
function chosenByIndex(table: Table, matches: string): string {
  return `
        SELECT w.number, copy.relation, copy.tuple FROM wanted w CROSS JOIN LATERAL (
          SELECT t.tableoid AS relation, t.ctid AS tuple FROM ${table.sql} t WHERE ${matches}
          LIMIT w.copies FOR UPDATE) AS copy`;
}

/**
 * In one pass over the table. Locks cannot stand beside a window function: every copy is locked, then numbered.
 */
function chosenByScan(table: Table, matches: string): string {
  return `
        SELECT number, relation, tuple FROM (
          SELECT locked.*, pg_catalog.row_number() OVER (PARTITION BY number) AS nth FROM (
            SELECT w.number, w.copies, t.tableoid AS relation, t.ctid AS tuple FROM wanted w JOIN ${table.sql} t ON ${matches}
            FOR UPDATE OF t) AS locked) AS numbered
        WHERE nth <= copies`;
}

/** Reads the answers to {@link RetractStatements.remove}: nothing where all was there. */
export function readShort(answers: readonly Answer[]): readonly Short[] {
  const rows = answers.find(({ command }) => command === 'SELECT')?.rows ?? [];
  return rows.map(([place, count, copies, offset, found]) => ({
    place: Number(place),
    rows: Number(count),
    copies: Number(copies),
    offset: typeof offset === 'string' ? BigInt(offset) : undefined,
    found: Number(found),
  }));
}
