/** What of each table is compared, and how its lines look. */
import { EosError } from '@eos/core';
import { permissionError } from '../law/catalog.js';
import { planColumns } from '../table/columns.js';
import { comparedColumn, escapeField, type ComparedColumn } from './compared-columns.js';
import type { LineLayout } from './compared-rows.js';
import type { Link } from '../connection/connection.js';
import { literal, quoteTable } from '../connection/identifiers.js';
import type { Settings } from '../options.js';
import { inspectTable, schemaError, tableColumn, type Table } from '../table/table.js';

export interface ComparedTable {
  /** The name of its route; empty where there are none. */
  readonly route: string;
  /** Whether the sink has this table, and no routes. */
  readonly isOnly: boolean;
  readonly table: Table;
  /** The columns that are written, those of the key first. */
  readonly columns: readonly ComparedColumn[];
  readonly keyColumns: number;
}

/**
 * Only reads.
 * @throws EOS_SCHEMA, EOS_PERMISSION; EOS_CONFIG for a key that the rows do not have
 */
export async function comparedTables(
  link: Link,
  settings: Settings,
  key: readonly string[] | undefined,
): Promise<readonly ComparedTable[]> {
  if (settings.route === undefined) return [await comparedTable(link, settings, key, undefined)];
  const tables: ComparedTable[] = [];
  for (const [route, one] of settings.route.tables) tables.push(await comparedTable(link, one, key, route));
  return tables;
}

async function comparedTable(
  link: Link,
  settings: Settings,
  asked: readonly string[] | undefined,
  route: string | undefined,
): Promise<ComparedTable> {
  const table = await readableTable(link, settings);
  const encoders = planColumns(settings, table);
  const names = encoders.map(({ name }) => name);
  const key = keyOf(settings, table, names, asked);
  const ordered = [...key, ...names.filter((name) => !key.includes(name))];
  const columns = ordered.flatMap((name) => {
    const encoder = encoders.find((candidate) => candidate.name === name);
    return encoder === undefined ? [] : [comparedColumn(encoder, tableColumn(table, name))];
  });
  return { route: route ?? '', isOnly: route === undefined, table, columns, keyColumns: key.length };
}

async function readableTable(link: Link, settings: Settings): Promise<Table> {
  const table = await inspectTable(link, settings.table);
  if (table === undefined) throw schemaError(`table ${quoteTable(settings.table)} does not exist`);
  if (!table.grants.has('SELECT')) throw permissionError([`SELECT ON ${table.sql}`]);
  return table;
}

/** Without one asked for: that of the sink, else the shortest that the table has and the rows fill. */
function keyOf(
  settings: Settings,
  table: Table,
  names: readonly string[],
  asked: readonly string[] | undefined,
): readonly string[] {
  if (settings.mode === 'upsert') return settings.key;
  if (asked !== undefined) {
    const unknown = asked.find((name) => !names.includes(name));
    if (unknown === undefined) return [...new Set(asked)];
    throw new EosError('EOS_CONFIG', `key: ${JSON.stringify(unknown)} is no column that the rows fill`, {
      details: { option: 'key' },
    });
  }
  const isFilled = (name: string) => names.includes(name) && !tableColumn(table, name).isNullable;
  const keys = table.uniqueKeys.filter((key) => key.every(isFilled));
  return keys.sort((left, right) => left.length - right.length)[0] ?? [];
}

export interface LinesPlan {
  readonly layouts: readonly LineLayout[];
  /** Of each table: the names of the fields, without that of the route; empty for one that only fills the key up. */
  readonly names: readonly (readonly string[])[];
  /** How many fields of every line are its key. */
  readonly keyColumns: number;
  /** The statements that show all lines. */
  readonly copies: readonly string[];
}

/** Lines of several tables begin with the route, and their keys are filled up to one length. Where a table has no key, none has. */
export function planLines(tables: readonly ComparedTable[]): LinesPlan {
  const isKeyed = tables.every(({ keyColumns }) => keyColumns > 0);
  const longest = Math.max(...tables.map(({ keyColumns }) => keyColumns));
  const isRouted = tables.some(({ isOnly }) => !isOnly);
  const plans = tables.map(({ route, columns, keyColumns, table }) => {
    const fill = isKeyed ? longest - keyColumns : 0;
    const names = columns.map(({ encoder }) => encoder.name);
    const selects = columns.map(({ select }) => select);
    const key = isKeyed ? keyColumns : 0;
    const filled = (texts: readonly string[], filler: string) => [
      ...texts.slice(0, key),
      ...Array<string>(fill).fill(filler),
      ...texts.slice(key),
    ];
    const list = [...(isRouted ? [literal(route)] : []), ...filled(selects, `''`)];
    return {
      layout: {
        prefix: isRouted ? `${escapeField(route)}\t` : '',
        columns,
        keyColumns: key,
        padding: '\t'.repeat(fill),
      },
      names: filled(names, ''),
      copy: `COPY (SELECT ${list.join(', ')} FROM ${table.sql}) TO STDOUT`,
    };
  });
  return {
    layouts: plans.map(({ layout }) => layout),
    names: plans.map(({ names }) => names),
    keyColumns: isKeyed ? longest + (isRouted ? 1 : 0) : 0,
    copies: plans.map(({ copy }) => copy),
  };
}
