/** The port: a PostgreSQL table as a sink. */
import {
  defineSink,
  EosError,
  type Claim,
  type Columns,
  type RowInput,
  type RowSchema,
  type SessionDriver,
  type SinkConnector,
  type SinkContext,
  type SinkDriver,
} from '@eos/core';
import { appendWriters } from './modes/append.js';
import { carefulWriters } from './bad-rows/careful.js';
import { ensureCatalog } from './law/catalog.js';
import { claimPartitions, readPositions } from './law/claim.js';
import { planColumns } from './table/columns.js';
import { lockRetry, type LockRetry } from './law/lock-retry.js';
import { linkName, openLink, type Link } from './connection/connection.js';
import { mapError } from './connection/error-map.js';
import { withoutMissing } from './table/evolution.js';
import { quoteTable } from './connection/identifiers.js';
import { openDeadLetters } from './bad-rows/dead-letters.js';
import { checkReplayable } from './bad-rows/replay-record.js';
import { ensureLetterTable, letterStore, type StoreOf } from './bad-rows/letter-table.js';
import {
  checkRoute,
  type RoutedRow,
  type RoutedSinkOptions,
  type RoutedTable,
} from './routes/route-options.js';
import { checkRouted, openRouted, type Destination } from './routes/routed-target.js';
import { checkOptions, type PostgresSinkOptions, type Settings } from './options.js';
import { retractWriters } from './retract/retract.js';
import { planSearch } from './retract/row-search.js';
import { openSession } from './law/session.js';
import { checkPooling, isPooled } from './connection/pooling.js';
import { readStatus } from './law/status.js';
import { readTable } from './reader/table-reader.js';
import type { Table } from './table/table.js';
import { findTable, openTarget } from './law/target.js';
import { upsertWriters } from './modes/upsert.js';
import type { Writers } from './modes/writer.js';

/**
 * A PostgreSQL table as a sink: rows and positions are committed by one transaction of the same database.
 * @example
 * const sink = postgresSink({
 *   connection: 'postgresql://writer@localhost/warehouse',
 *   table: 'flights',
 *   schema: rowSchema({ id: t.int64(), origin: t.string(), delay: t.int32().nullable() }),
 * });
 * @throws EOS_CONFIG, with the option's name
 */
export function postgresSink<C extends Columns>(
  options: PostgresSinkOptions<C> & { readonly schema: RowSchema<C> },
): SinkConnector<RowInput<RowSchema<C>>>;
export function postgresSink<Tables extends SchemaTables>(
  options: RoutedSinkOptions<RoutedRow<Tables>, Tables>,
): SinkConnector<RoutedRow<Tables>>;
export function postgresSink<Row = Record<string, unknown>>(
  options: PostgresSinkOptions | RoutedSinkOptions<Row>,
): SinkConnector<Row>;
export function postgresSink<Row>(options: PostgresSinkOptions | RoutedSinkOptions<Row>): SinkConnector<Row> {
  return connectorOf('route' in options ? checkRoute(options) : checkOptions(options), letterStore);
}

function connectorOf<Row>(settings: Settings, store: StoreOf): SinkConnector<Row> {
  const keepsLetters = settings.badRows === 'dead-letter';
  return defineSink<Row>({
    description: `postgres ${describeTables(settings)}`,
    capabilities: {
      changelog: settings.mode,
      ...(settings.mode === 'upsert' && settings.key.length > 0 ? { key: settings.key } : {}),
      atomic: 'transaction',
      staging: true,
      deadLetters: keepsLetters,
      durable: true,
    },
    abilities: {
      status: (context) => readStatus(settings, context),
      readTable: (context, options) => readTable(settings, context, options),
      ...(keepsLetters
        ? {
            deadLetters: (context) =>
              openDeadLetters(settings, context, (again) =>
                connectorOf({ ...settings, maxBadRows: Infinity }, again),
              ),
          }
        : {}),
    },
    connect: async (context) => {
      // That of a replay ends with the suffix already.
      if (keepsLetters && store === letterStore) checkReplayable(context);
      return await connect<Row>(settings, store, context);
    },
  });
}

/** Of every table the schema is known, and with it the type of its rows. */
type SchemaTables = Readonly<Record<string, RoutedTable & { readonly schema: RowSchema }>>;

function describeTables({ table, route }: Settings): string {
  if (route === undefined) return quoteTable(table);
  return route.tables.size === 1
    ? quoteTable(table)
    : `${quoteTable(table)} and ${route.tables.size - 1} more`;
}

async function connect<Row>(
  settings: Settings,
  store: StoreOf,
  context: SinkContext,
): Promise<SinkDriver<Row>> {
  const name = linkName(context.pipeline, context.sink);
  const open = () => openLink(settings, name);
  const first = await open();
  try {
    await checkDestination(first, settings, context, open);
  } catch (error) {
    await first.close();
    throw mapError(error);
  }
  // The first session goes on with the same connection: to make one, and to have it read the catalog anew, takes as long as many a commit.
  const reader = lazyLink(open, first);
  return {
    positions: (partitions) => reader.use((link) => readPositions(link, context, partitions)),
    recover: async (claim) => recover<Row>(settings, store, context, claim, [await reader.take(), open]),
    close: () => reader.close(),
  };
}

/** Whatever is wrong with options and table shows here. Nothing is made, and a role that may only read gets through. */
async function checkDestination(
  link: Link,
  settings: Settings,
  context: SinkContext,
  open: () => Promise<Link>,
): Promise<void> {
  if (isPooled(link)) await using(await open(), (another) => checkPooling([link, another]));
  if (settings.route !== undefined) {
    await checkRouted(link, settings.route, context);
    return;
  }
  const table = await findTable(link, settings, context);
  if (table !== undefined) await planWriters(link, withoutMissing(settings, table), table);
}

async function openDestination<Row>(
  link: Link,
  settings: Settings,
  context: SinkContext,
  retry: LockRetry,
): Promise<Destination<Row>> {
  if (settings.route !== undefined) return await openRouted(link, settings.route, context, retry);
  const { table, id } = await openTarget(link, settings, context, retry);
  const writers = await planWriters<Row>(link, settings, table);
  return { target: id, object: table.sql, tables: [table], writers };
}

async function planWriters<Row>(link: Link, settings: Settings, table: Table): Promise<Writers<Row>> {
  const columns = planColumns(settings, table);
  switch (settings.mode) {
    case 'append':
      return appendWriters(table, columns);
    case 'upsert':
      return upsertWriters(table, columns, settings.key);
    case 'retract':
      return retractWriters(
        table,
        columns,
        await planSearch(link, settings, table, columns),
        settings.missingRow,
      );
  }
}

/** Where the first bad row is not to end the pipeline. */
async function settingAside<Row>(
  link: Link,
  { badRows: policy, maxBadRows: limit, deadLetterTable }: Settings,
  store: StoreOf,
  context: SinkContext,
  writers: Writers<Row>,
): Promise<Writers<Row>> {
  if (policy === 'fail') return writers;
  if (policy === 'dead-letter') await ensureLetterTable(link, deadLetterTable);
  return carefulWriters(writers, { policy, limit, store: store(deadLetterTable, context) });
}

async function recover<Row>(
  settings: Settings,
  store: StoreOf,
  context: SinkContext,
  claim: Claim,
  [kept, open]: readonly [Link | undefined, () => Promise<Link>],
): Promise<SessionDriver<Row>> {
  const links = await openBoth(kept, open);
  try {
    await checkPooling(links);
    if (links.some(isPooled)) await ensureCatalog(links[0]);
    // What a pooler lends serves somebody else as soon as its client is gone: it must not be ended for what it once was.
    const isLent = links.some(isPooled);
    const terminateBlocking = settings.terminateBlocking && !isLent;
    const retry = lockRetry(links, { ...context, ...claim }, terminateBlocking);
    const { target, object, tables, ...found } = await openDestination<Row>(
      links[0],
      settings,
      context,
      retry,
    );
    const writers = await settingAside(links[0], settings, store, context, found.writers);
    await Promise.all(links.map((link) => writers.prepare(link)));
    const { lockTimeoutMs, commitTimeoutMs } = settings;
    const backends = isLent ? [] : links;
    const request = { ...context, ...claim, target, object, backends, lockTimeoutMs };
    return openSession({
      // The claim waits for commits in flight.
      ...(await retry('the claim', () => claimPartitions(links[0], request))),
      links,
      committer: { ...context, owner: claim.owner, timeoutMs: commitTimeoutMs, tables },
      writers,
      terminateAfterMs: terminateBlocking ? lockTimeoutMs : undefined,
    });
  } catch (error) {
    for (const link of links) link.destroy();
    throw mapError(error);
  }
}

async function openBoth(kept: Link | undefined, open: () => Promise<Link>): Promise<readonly [Link, Link]> {
  const [first, second] = await Promise.allSettled([openFirst(kept, open), open()]);
  if (first.status === 'fulfilled' && second.status === 'fulfilled') return [first.value, second.value];
  for (const link of [first, second]) if (link.status === 'fulfilled') link.value.destroy();
  throw first.status === 'rejected' ? first.reason : second.status === 'rejected' ? second.reason : undefined;
}

/**
 * While the second connection is made, the first looks at the catalog: once a session, so that whatever is missing is made, or told,
 * before the first row. Behind a pooler nothing is made before that is known to be fit.
 */
async function openFirst(kept: Link | undefined, open: () => Promise<Link>): Promise<Link> {
  const link = kept ?? (await open());
  try {
    if (!isPooled(link)) await ensureCatalog(link);
    return link;
  } catch (error) {
    link.destroy();
    const mapped = mapError(error);
    // It has idled since the sink was opened: that it was ended meanwhile says nothing of the server now.
    if (kept !== undefined && mapped.code === 'EOS_UNAVAILABLE') return await openFirst(undefined, open);
    throw mapped;
  }
}

async function using<T>(link: Link, work: (link: Link) => Promise<T>): Promise<T> {
  try {
    return await work(link);
  } catch (error) {
    throw mapError(error);
  } finally {
    await link.close();
  }
}

/** A connection that is made when it is first needed, again when it broke, and used by one caller after the other. */
function lazyLink(open: () => Promise<Link>, first: Link) {
  let current: Link | undefined = first;
  let turn: Promise<unknown> = Promise.resolve();
  let isClosed = false;
  return {
    async use<T>(work: (link: Link) => Promise<T>): Promise<T> {
      const result = turn.then(async () => {
        if (isClosed) throw new EosError('EOS_CLOSED', 'the sink is closed');
        if (current === undefined || current.lost !== undefined) current = await open();
        return work(current);
      });
      turn = result.catch(() => undefined);
      return result.catch((error: unknown) => {
        throw mapError(error);
      });
    },
    /** Hands the connection over where there is one that works. */
    async take(): Promise<Link | undefined> {
      const taken = turn.then(() => {
        const link = current?.lost === undefined ? current : undefined;
        current = undefined;
        return link;
      });
      turn = taken;
      return await taken;
    },
    async close() {
      isClosed = true;
      // What is under way ends with its connection, also one that is being made.
      await current?.close();
      await turn;
      await current?.close();
    },
  };
}
