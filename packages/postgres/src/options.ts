import { EosError, type Columns, type RowSchema } from '@eos/core';
import type { ClientConfig } from 'pg';
import { BAD_ROWS, type BadRows } from './bad-rows/bad-rows.js';
import type { Evolution } from './table/evolution.js';
import { isIdentifier, parseTable, type TableName } from './connection/identifiers.js';
import { DEAD_LETTERS } from './bad-rows/letter-table.js';
import type { RouteSettings } from './routes/route-options.js';

export type Mode = 'append' | 'upsert' | 'retract';
export type MissingRow = 'fail' | 'count';

export interface PostgresSinkOptions<C extends Columns = Columns> {
  /** A `postgresql://` URL or everything that `pg` takes, TLS included; passed through. */
  readonly connection: string | ClientConfig;
  /** `flights`, `sales.flights` or `{ schema, name }`; case and all characters count. */
  readonly table: string | TableName;
  /**
   * `append` (default): every row is added. `upsert`: the last change of each `key` wins, deletes delete. `retract`: without a key;
   * `+I` and `+U` add a copy of a row, `-U` and `-D` delete exactly one.
   */
  readonly mode?: Mode;
  /** For `upsert`: the columns of a primary key or unique index of the table. */
  readonly key?: readonly string[];
  /**
   * For `retract`: what to do where a row is taken back that is not there. `fail` (default): EOS_ROW with partition and offset;
   * `count`: go on without it, and tell how many there were.
   */
  readonly missingRow?: MissingRow;
  /**
   * For `retract`: whether the table must have the column `eos_row_hash`, which tables that Eos makes have. Default true; false: where
   * it has none, every transaction that takes rows back reads the whole table.
   */
  readonly requireRowHash?: boolean;
  /** Names and types of the columns. Default: as the table has them. */
  readonly schema?: RowSchema<C>;
  /**
   * Which columns to write. Default: those of `schema`, else every column of the table that is not generated. Leave a
   * column out to get its default.
   */
  readonly columns?: readonly string[];
  /**
   * What becomes of a row that does not fit or that the server rejects. `fail` (default): the pipeline stops at it. `dead-letter`: it
   * goes into `deadLetterTable`, in the same transaction as the other rows and the position. `skip`: it is dropped, and counted.
   */
  readonly badRows?: BadRows;
  /** For `badRows: 'dead-letter'`; made where it is missing, in the same database. Default `eos.dead_letters`. */
  readonly deadLetterTable?: string | TableName;
  /** A transaction with more bad rows than this fails, so that a stream that is wholly wrong stops. Default 1,000; Infinity: never. */
  readonly maxBadRows?: number;
  /** Make the table where it is missing, for `upsert` with a primary key. Default: true with a `schema`. */
  readonly create?: boolean;
  /**
   * What to do about columns of `schema` that the table lacks. `fail` (default): EOS_SCHEMA with the statement that adds them.
   * `add-nullable`: they are added when a session begins, which takes the table's owner. Types are never changed.
   */
  readonly evolution?: Evolution;
  /**
   * How long a claim waits for a commit in flight, and a merge for an earlier session, before it is looked at what blocks.
   * Default 2,000 ms.
   */
  readonly lockTimeoutMs?: number;
  /**
   * Whether a session may terminate a connection of an earlier session of the same sink that blocks it (a half-open or
   * stopped client). Default true; never behind a pooler, whose connections serve others in turn.
   */
  readonly terminateBlocking?: boolean;
  /** The server ends a session that stays idle within a transaction for this long. Default 300,000 ms. */
  readonly idleInTransactionTimeoutMs?: number;
  /** A statement without an answer, or a COPY without progress, for this long is given up. Default 300,000 ms. */
  readonly statementTimeoutMs?: number;
  /** A commit without an answer for this long is given up; its outcome is then settled by recover. Default 60,000 ms. */
  readonly commitTimeoutMs?: number;
}

/** The options, checked, with their defaults. */
export interface Settings {
  readonly connection: ClientConfig;
  readonly table: TableName;
  readonly mode: Mode;
  readonly key: readonly string[];
  readonly missingRow: MissingRow;
  readonly requireRowHash: boolean;
  readonly schema: RowSchema | undefined;
  readonly columns: readonly string[] | undefined;
  readonly badRows: BadRows;
  readonly deadLetterTable: TableName;
  readonly maxBadRows: number;
  readonly create: boolean;
  readonly evolution: Evolution;
  readonly lockTimeoutMs: number;
  readonly terminateBlocking: boolean;
  readonly idleInTransactionTimeoutMs: number;
  readonly statementTimeoutMs: number;
  readonly commitTimeoutMs: number;
  /** Where rows go to several tables: what is said of one table above is then that of the first. */
  readonly route?: RouteSettings;
}

/**
 * @throws EOS_CONFIG, with the name of the option
 */
export function checkOptions(options: PostgresSinkOptions): Settings {
  const { connection, schema } = options;
  if (!isConnection(connection)) fail('connection', 'must be a URL or an object of connection options');
  const mode = checkMode(options.mode ?? 'append');
  const columns = names(options, 'columns');
  if (schema !== undefined && columns !== undefined) {
    fail('columns', 'says the same as schema: give one of them');
  }
  const create = flag(options, 'create', schema !== undefined);
  if (create && schema === undefined) fail('create', 'needs a schema to make the table from');
  return {
    connection: typeof connection === 'string' ? { connectionString: connection } : connection,
    table: parseTable(options.table),
    mode,
    key: checkKey(options, mode, schema?.names ?? columns),
    missingRow: checkMissingRow(options, mode),
    requireRowHash: flag(options, 'requireRowHash', true),
    schema,
    columns,
    ...checkBadRows(options),
    create,
    evolution: checkEvolution(options, mode),
    lockTimeoutMs: milliseconds(options, 'lockTimeoutMs', 2_000),
    terminateBlocking: flag(options, 'terminateBlocking', true),
    idleInTransactionTimeoutMs: milliseconds(options, 'idleInTransactionTimeoutMs', 300_000),
    statementTimeoutMs: milliseconds(options, 'statementTimeoutMs', 300_000),
    commitTimeoutMs: milliseconds(options, 'commitTimeoutMs', 60_000),
  };
}

function isConnection(connection: unknown): boolean {
  return typeof connection === 'string' || (typeof connection === 'object' && connection !== null);
}

function checkMode(mode: unknown): Mode {
  const isMode = mode === 'append' || mode === 'upsert' || mode === 'retract';
  return isMode ? mode : fail('mode', `must be 'append', 'upsert' or 'retract'`);
}

function checkEvolution({ evolution = 'fail', schema }: PostgresSinkOptions, mode: Mode): Evolution {
  const choice: unknown = evolution;
  if (choice === 'fail') return choice;
  if (choice !== 'add-nullable') fail('evolution', `must be 'fail' or 'add-nullable'`);
  if (schema === undefined) fail('evolution', 'needs a schema to know the columns of');
  if (mode === 'retract') fail('evolution', `would leave a column out of the row hash of mode: 'retract'`);
  return choice;
}

function checkMissingRow(options: PostgresSinkOptions, mode: Mode): MissingRow {
  for (const option of ['missingRow', 'requireRowHash'] as const) {
    if (options[option] !== undefined && mode !== 'retract') fail(option, `belongs to mode: 'retract'`);
  }
  const choice: unknown = options.missingRow ?? 'fail';
  return choice === 'fail' || choice === 'count' ? choice : fail('missingRow', `must be 'fail' or 'count'`);
}

function checkBadRows(options: Pick<PostgresSinkOptions, BadRowOption>): Pick<Settings, BadRowOption> {
  const { badRows = 'fail', deadLetterTable, maxBadRows = 1_000 } = options;
  if (!BAD_ROWS.includes(badRows)) fail('badRows', `must be one of ${BAD_ROWS.join(', ')}`);
  if (deadLetterTable !== undefined && badRows !== 'dead-letter')
    fail('deadLetterTable', `belongs to badRows: 'dead-letter'`);
  const isLimit = maxBadRows === Infinity || (Number.isInteger(maxBadRows) && maxBadRows >= 0);
  if (!isLimit) fail('maxBadRows', 'must be a whole number from 0, or Infinity');
  return {
    badRows,
    deadLetterTable:
      deadLetterTable === undefined ? DEAD_LETTERS : parseTable(deadLetterTable, 'deadLetterTable'),
    maxBadRows,
  };
}

type BadRowOption = 'badRows' | 'deadLetterTable' | 'maxBadRows';

function checkKey(
  options: PostgresSinkOptions,
  mode: string,
  known: readonly string[] | undefined,
): readonly string[] {
  const key = names(options, 'key');
  if (mode !== 'upsert') {
    if (key !== undefined) fail('key', `belongs to mode: 'upsert'`);
    return [];
  }
  if (key === undefined) fail('key', `mode: 'upsert' needs the columns of the key`);
  const unknown = known === undefined ? undefined : key.find((name) => !known.includes(name));
  if (unknown !== undefined) fail('key', `${JSON.stringify(unknown)} is no column of the rows`);
  return key;
}

function names(options: PostgresSinkOptions, option: 'key' | 'columns'): readonly string[] | undefined {
  const list: unknown = options[option];
  if (list === undefined) return undefined;
  if (!Array.isArray(list) || list.length === 0 || !list.every(isIdentifier)) {
    fail(option, 'must be a list of column names');
  }
  if (new Set(list).size < list.length) fail(option, 'names a column twice');
  return list;
}

function flag(
  options: PostgresSinkOptions,
  option: 'create' | 'terminateBlocking' | 'requireRowHash',
  otherwise: boolean,
): boolean {
  const value: unknown = options[option] ?? otherwise;
  return typeof value === 'boolean' ? value : fail(option, 'must be true or false');
}

type Duration = 'lockTimeoutMs' | 'idleInTransactionTimeoutMs' | 'statementTimeoutMs' | 'commitTimeoutMs';

/** Timers and the server's settings both hold 31 bits of milliseconds. */
const LONGEST_MS = 2 ** 31 - 1;

function milliseconds(options: PostgresSinkOptions, option: Duration, otherwise: number): number {
  const value: unknown = options[option] ?? otherwise;
  const fits = typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= LONGEST_MS;
  return fits ? value : fail(option, `must be a whole number of milliseconds, 1 to ${LONGEST_MS}`);
}

function fail(option: keyof PostgresSinkOptions, problem: string): never {
  throw new EosError('EOS_CONFIG', `${option}: ${problem}`, { details: { option } });
}
