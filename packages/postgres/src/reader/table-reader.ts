/** The table as it is at one moment, with the positions that belong to it: for comparing it with its source. */
import type { Positions, ReadTableOptions, SinkContext, TableSnapshot } from '@eos/core';
import { readPositions } from '../law/claim.js';
import { rowsEncoder } from './compared-rows.js';
import { comparedTables, planLines, type ComparedTable } from './compared-tables.js';
import { linkName, openLink, type Link } from '../connection/connection.js';
import { copyOut } from './copy-out.js';
import { mapError } from '../connection/error-map.js';
import type { Settings } from '../options.js';
import type { RouteSettings } from '../routes/route-options.js';
import { settleTarget, targetOfTables } from '../law/targets.js';
import { waitingLetters, type LetterFinder } from '../bad-rows/waiting-letters.js';

/**
 * Everything is read in one transaction, so that rows and positions are those of one moment. It takes no lock that a writer would
 * wait for; as any long query, it keeps the server from removing rows that die meanwhile. A policy that hides rows is an error.
 */
const BEGIN = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL bytea_output = 'hex'; SET LOCAL row_security = off`;

/**
 * Takes a snapshot of the table, or of all tables of a route.
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
    const tables = await comparedTables(link, settings, options.key);
    const positions = await storedPositions(link, context, tables);
    const letters = await waitingLetters(link, settings.deadLetterTable, context);
    return { ...snapshotOf(link, settings, tables, { asking: asking.open, letters }), positions, close };
  } catch (error) {
    await close();
    throw mapError(error);
  }
}

function snapshotOf(
  link: Link,
  settings: Settings,
  tables: readonly ComparedTable[],
  { asking, letters }: { asking: () => Promise<Link>; letters: (() => LetterFinder) | undefined },
): Omit<TableSnapshot, 'positions' | 'close'> {
  const { layouts, names, keyColumns, copies } = planLines(tables);
  const route = settings.route && routeOf(settings.route);
  const encoder = rowsEncoder({
    layouts,
    isUpsert: settings.mode === 'upsert',
    link: asking,
    letters,
    ...(route === undefined ? {} : { tableOf: route }),
  });
  const [only] = tables;
  return {
    description:
      route === undefined && only !== undefined ? `table ${only.table.sql}` : `${tables.length} tables`,
    columns: route === undefined ? (names[0] ?? []) : [],
    ...(route === undefined
      ? {}
      : { tables: new Map(tables.map(({ route: name }, place) => [name, names[place] ?? []])) }),
    keyColumns,
    encoder() {
      const encode = encoder();
      return (batch) => mapped(encode(batch));
    },
    rows: () => mappedBlocks(copyAll(link, copies)),
    show(column, text, table = tables[0]?.route) {
      const columns = tables.find(({ route: name }) => name === table)?.columns;
      return columns?.find(({ encoder }) => encoder.name === column)?.show(text) ?? text;
    },
  };
}

/** The place of the route that a row takes; undefined for none, which is EOS_ROW for the sink. */
function routeOf({ by, tables }: RouteSettings): (row: unknown) => number | undefined {
  const places = new Map([...tables.keys()].map((name, place) => [name, place]));
  return (row) => {
    try {
      const name = by(row);
      return typeof name === 'string' ? places.get(name) : undefined;
    } catch {
      return undefined;
    }
  };
}

async function* copyAll(link: Link, copies: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const copy of copies) yield* copyOut(link, copy);
}

/** Positions that belong to these very tables; none where Eos never was in this database. */
async function storedPositions(
  link: Link,
  context: SinkContext,
  tables: readonly ComparedTable[],
): Promise<Positions> {
  const [known] = await link.run(
    `SELECT FROM pg_catalog.pg_class c WHERE c.relnamespace = pg_catalog.to_regnamespace('eos') AND c.relname = 'claims'`,
  );
  if (known?.rows.length !== 1) return new Map();
  const positions = await readPositions(link, context);
  if (positions.size === 0) return positions;
  const objects = tables.map(({ table }) => `${table.oid}::pg_catalog.regclass`).join(', ');
  const [answer] = await link.run(
    `SELECT object::pg_catalog.oid, id FROM eos.targets WHERE object IN (${objects})`,
  );
  const ids = new Map(answer?.rows.map(([oid, id]) => [oid, id ?? '']));
  const idOf = ({ table }: ComparedTable) => ids.get(table.oid) ?? '';
  const [only] = tables;
  if (only !== undefined && only.isOnly) settleTarget(positions, idOf(only), only.table.sql);
  else {
    const target = targetOfTables(new Map(tables.map((table) => [table.route, idOf(table)])));
    settleTarget(positions, target, `group of ${tables.length} tables`);
  }
  return positions;
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
