/** The table as it is at one moment, with the positions that belong to it: for comparing it with its source. */
import {
  EosError,
  judgeTarget,
  type Positions,
  type ReadTableOptions,
  type SinkContext,
  type TableSnapshot,
} from '@eos/core';
import { permissionError } from './catalog.js';
import { readPositions } from './claim.js';
import { planColumns } from './columns.js';
import { comparedColumn, type ComparedColumn } from './compared-columns.js';
import { rowsEncoder } from './compared-rows.js';
import { linkName, openLink, type Link } from './connection.js';
import { copyOut } from './copy-out.js';
import { mapError } from './error-map.js';
import { quoteTable } from './identifiers.js';
import type { Settings } from './options.js';
import { inspectTable, schemaError, tableColumn, type Table } from './table.js';

/**
 * Everything is read in one transaction, so that rows and positions are those of one moment. It takes no lock that a writer would
 * wait for; as any long query, it keeps the server from removing rows that die meanwhile. A policy that hides rows is an error.
 */
const BEGIN = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL bytea_output = 'hex'; SET LOCAL row_security = off`;

/**
 * Takes a snapshot of the table.
 * @throws EOS_SCHEMA, EOS_PERMISSION (the role needs SELECT on the table and on eos.claims, eos.positions, eos.targets),
 *   EOS_TARGET_CHANGED, EOS_CONFIG for a key that the rows do not have, EOS_UNAVAILABLE
 */
export async function readTable(
  settings: Settings,
  context: SinkContext,
  options: ReadTableOptions = {},
): Promise<TableSnapshot> {
  // The source is read between two looks at the table, and may take its time.
  const patient = { ...settings, idleInTransactionTimeoutMs: 0 };
  const name = linkName(context.pipeline, context.sink);
  const link = await openLink(patient, name);
  const asking = lazy(() => openLink(settings, name));
  const close = async () => {
    await Promise.all([link.close(), asking.close()]);
  };
  try {
    // Says what the role lacks; within a transaction the first refusal would end it.
    await readPositions(link, context);
    await link.run(BEGIN);
    const table = await readableTable(link, settings);
    const positions = await storedPositions(link, context, table);
    const { columns, keyColumns } = compared(settings, table, options.key);
    const names = columns.map(({ encoder }) => encoder.name);
    const copy = copyStatement(table, columns);
    const encode = rowsEncoder(columns, settings.mode === 'upsert' ? keyColumns : undefined, asking.open);
    return {
      description: `table ${table.sql}`,
      positions,
      columns: names,
      keyColumns,
      encode: (batch) => mapped(encode(batch)),
      rows: () => mappedBlocks(copyOut(link, copy)),
      show: (column, text) => columns[names.indexOf(column)]?.show(text) ?? text,
      close,
    };
  } catch (error) {
    await close();
    throw mapError(error);
  }
}

async function readableTable(link: Link, settings: Settings): Promise<Table> {
  const table = await inspectTable(link, settings.table);
  if (table === undefined) throw schemaError(`table ${quoteTable(settings.table)} does not exist`);
  if (!table.grants.has('SELECT')) throw permissionError([`SELECT ON ${table.sql}`]);
  return table;
}

/** Positions that belong to this very table; none where Eos never was in this database. */
async function storedPositions(link: Link, context: SinkContext, table: Table): Promise<Positions> {
  const [known] = await link.run(
    `SELECT FROM pg_catalog.pg_class c WHERE c.relnamespace = pg_catalog.to_regnamespace('eos') AND c.relname = 'claims'`,
  );
  if (known?.rows.length !== 1) return new Map();
  const positions = await readPositions(link, context);
  if (positions.size === 0) return positions;
  const [answer] = await link.run(
    `SELECT id FROM eos.targets WHERE object = ${table.oid}::pg_catalog.regclass`,
  );
  const target = answer?.rows[0]?.[0] ?? '';
  for (const [partition, position] of positions) judgeTarget(partition, position, target, table.sql);
  return positions;
}

/** The columns that are written, those of the key first. */
function compared(
  settings: Settings,
  table: Table,
  asked: readonly string[] | undefined,
): { columns: readonly ComparedColumn[]; keyColumns: number } {
  const encoders = planColumns(settings, table);
  const names = encoders.map(({ name }) => name);
  const key = keyOf(settings, table, names, asked);
  const ordered = [...key, ...names.filter((name) => !key.includes(name))];
  const columns = ordered.flatMap((name) => {
    const encoder = encoders.find((candidate) => candidate.name === name);
    return encoder === undefined ? [] : [comparedColumn(encoder, tableColumn(table, name))];
  });
  return { columns, keyColumns: key.length };
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

function copyStatement(table: Table, columns: readonly ComparedColumn[]): string {
  return `COPY (SELECT ${columns.map(({ select }) => select).join(', ')} FROM ${table.sql}) TO STDOUT`;
}

async function mapped<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw mapError(error);
  }
}

async function* mappedBlocks(blocks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* blocks;
  } catch (error) {
    throw mapError(error);
  }
}

/** A connection that is made when it is first needed. */
function lazy(open: () => Promise<Link>) {
  let opening: Promise<Link> | undefined;
  return {
    open: () => (opening ??= open()),
    async close() {
      const link = await opening?.catch(() => undefined);
      await link?.close();
    },
  };
}
