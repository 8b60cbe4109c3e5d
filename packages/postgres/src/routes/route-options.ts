/** Options of a sink that writes to several tables. */
import { EosError, isEosError, type Columns, type RowInput, type RowSchema } from '@eos/core';
import { fieldsOf } from '../copy/copy-text.js';
import { parseTable } from '../connection/identifiers.js';
import { checkOptions, type PostgresSinkOptions, type Settings } from '../options.js';

/** One of the tables: what differs from table to table. */
export interface RoutedTable<C extends Columns = Columns> extends Partial<
  Pick<PostgresSinkOptions<C>, 'table' | 'schema' | 'columns' | 'key' | 'create' | 'evolution'>
> {
  /** Default: the name of the route. */
  readonly table?: PostgresSinkOptions['table'];
}

export type RoutedTables = Readonly<Record<string, RoutedTable>>;

export interface RoutedSinkOptions<
  Row = Record<string, unknown>,
  Tables extends RoutedTables = RoutedTables,
> extends Omit<
  PostgresSinkOptions,
  | 'table'
  | 'schema'
  | 'columns'
  | 'mode'
  | 'missingRow'
  | 'requireRowHash'
  | 'badRows'
  | 'deadLetterTable'
  | 'maxBadRows'
> {
  /** As for one table; `retract` takes a sink for each table. */
  readonly mode?: 'append' | 'upsert';
  readonly route: {
    /**
     * The name of the route that a row takes, or the column that holds it. The same row must always take the same one; with `mode: 'upsert'` that goes for all
     * rows of a key, or the changelog must carry the `-U` of those that move. A name that is not in `tables` is EOS_ROW.
     */
    readonly by: ((row: Row) => string) | (keyof Row & string);
    /** The tables by the names of their routes. One that is added later joins then. */
    readonly tables: Tables;
  };
}

/** A row of any of the tables, by their schemas. */
export type RoutedRow<Tables extends RoutedTables> = {
  [Name in keyof Tables]: Tables[Name] extends { readonly schema: RowSchema<infer C> }
    ? RowInput<RowSchema<C>>
    : Record<string, unknown>;
}[keyof Tables];

/** The options of a route, checked. */
export interface RouteSettings {
  /** What is no string names no table. */
  readonly by: (row: unknown) => unknown;
  /** By name, in the order given. Connection and limits are the same for all. */
  readonly tables: ReadonlyMap<string, Settings>;
}

/** Places are kept in 16 bits. */
const MOST_TABLES = 65_536;

/** @throws EOS_CONFIG, with the name of the option */
export function checkRoute<Row>(
  options: RoutedSinkOptions<Row>,
): Settings & { readonly route: RouteSettings } {
  const { route, ...common } = options;
  const { by, tables }: { readonly by: unknown; readonly tables: unknown } = route;
  if (!isFunction(by) && typeof by !== 'string') {
    fail('route.by', 'must be a column, or a function from a row to the name of a route');
  }
  if (typeof tables !== 'object' || tables === null) fail('route.tables', 'must hold tables by name');
  for (const option of ['table', 'schema', 'columns'] as const)
    if (option in common) fail(option, 'belongs to each of route.tables');
  const { mode }: { readonly mode?: unknown } = common;
  if (mode === 'retract') fail('mode', `'retract' takes a sink for each table, without route`);
  const given: Readonly<Record<string, unknown>> = common;
  if ((given['badRows'] ?? 'fail') !== 'fail')
    fail('badRows', `must be 'fail' with route: several tables take a bad row as an error`);
  const names = Object.keys(route.tables);
  if (names.length === 0 || names.length > MOST_TABLES) {
    fail('route.tables', `must hold 1 to ${MOST_TABLES} tables`);
  }
  const settings = new Map(names.map((name) => [name, checkTable(name, route.tables[name] ?? {}, common)]));
  const [first = fail('route.tables', 'is empty')] = settings.values();
  return {
    ...first,
    key: sharedKey([...settings.values()]),
    route: { by: typeof by === 'string' ? valueOf(by) : by, tables: settings },
  };
}

/** A row of the caller's type is a row: what it holds is his promise. */
function isFunction(by: unknown): by is (row: unknown) => unknown {
  return typeof by === 'function';
}

function valueOf(column: string): RouteSettings['by'] {
  return (row) => fieldsOf(row)[column];
}

function checkTable(
  name: string,
  table: RoutedTable,
  common: Omit<RoutedSinkOptions<never>, 'route'>,
): Settings {
  try {
    return checkOptions({ ...common, ...table, table: table.table ?? parseTable(name) });
  } catch (error) {
    if (!isEosError(error)) throw error;
    const option = `route.tables.${name}.${String(error.details['option'])}`;
    throw new EosError(error.code, `route.tables.${name}: ${error.message}`, { details: { option } });
  }
}

/** The key that all tables have in common; none where they differ. */
function sharedKey(settings: readonly Settings[]): readonly string[] {
  const [first, ...others] = settings.map(({ key }) => key);
  return first !== undefined && others.every((key) => key.join('\0') === first.join('\0')) ? first : [];
}

function fail(option: string, problem: string): never {
  throw new EosError('EOS_CONFIG', `${option}: ${problem}`, { details: { option } });
}
