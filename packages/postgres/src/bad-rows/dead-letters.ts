/** The rows that a sink has set aside, to be looked at and written again. */
import {
  EosError,
  parseOp,
  pipeline,
  type DeadLetter,
  type DeadLetterQuery,
  type DeadLetterReplay,
  type DeadLetters,
  type JsonValue,
  type SinkConnector,
  type SinkContext,
} from '@eos/core';
import { ensureCatalog, SETUP_LOCK } from '../law/catalog.js';
import { openLink, type Link, type TextRow } from '../connection/connection.js';
import { mapError } from '../connection/error-map.js';
import { literal, quoteTable } from '../connection/identifiers.js';
import { letterSource, REPLAY_PARTITION } from './letter-source.js';
import { storable, textOrNull, type StoreOf } from './letter-table.js';
import type { Settings } from '../options.js';

/** Letters that are read at a time: bounds memory with the size of a row. */
const PAGE = 100;

/** Rows of a commit of a replay. */
const ROWS_PER_COMMIT = 1_000;

/**
 * @param connectorOf the sink of the same options, with another way to store what it rejects
 * @throws EOS_UNAVAILABLE, EOS_PERMISSION
 */
export async function openDeadLetters(
  settings: Settings,
  context: SinkContext,
  connectorOf: (store: StoreOf) => SinkConnector<unknown>,
): Promise<DeadLetters> {
  const link = await openLink(settings, 'eos dead-letters');
  const box: LetterBox = { link, sql: quoteTable(settings.deadLetterTable), context };
  return {
    list: (query) => listLetters(box, query),
    replay: (query = {}, signal) =>
      replay(box, query, signal, {
        source: letterSource(() => openLink(settings, 'eos dead-letters'), box.sql, context, settings.mode),
        // However many are bad still: they wait on.
        connector: connectorOf(() => rejectedAgain(box)),
      }),
    close: () => link.close(),
  };
}

interface LetterBox {
  readonly link: Link;
  readonly sql: string;
  readonly context: SinkContext;
}

/**
 * Replays have a record of their own, so that the pipeline that goes on meanwhile is not disturbed. What lies below its offset is in
 * the destination, whether or not a replay has lived to mark it.
 */
function recordOf({ pipeline: id, sink }: SinkContext): SinkContext {
  return { pipeline: `${id}.dead-letters`, sink };
}

function nextOffset(context: SinkContext): string {
  const { pipeline: id, sink } = recordOf(context);
  return `(SELECT coalesce(max(p.next_offset), 0) FROM eos.positions p WHERE p.pipeline = ${literal(id)}
    AND p.sink = ${literal(sink)} AND p.partition = ${literal(REPLAY_PARTITION)})`;
}

function isOf({ pipeline: id, sink }: SinkContext): string {
  return `l.pipeline = ${literal(id)} AND l.sink = ${literal(sink)}`;
}

function isAsked({ ids, partition }: DeadLetterQuery): string {
  const asked = ids?.map(idOf);
  return [
    ...(asked === undefined ? [] : [asked.length === 0 ? 'false' : `l.id IN (${asked.join(', ')})`]),
    ...(partition === undefined ? [] : [`l.partition = ${literal(partition)}`]),
    'true',
  ].join(' AND ');
}

function idOf(id: string): string {
  if (/^\d{1,18}$/.test(id)) return id;
  throw new EosError(
    'EOS_CONFIG',
    `ids: ${JSON.stringify(id)} is no id of a dead letter: they are whole numbers`,
    {
      details: { option: 'ids' },
    },
  );
}

async function* listLetters(
  { link, sql, context }: LetterBox,
  query: DeadLetterQuery = {},
): AsyncIterable<DeadLetter> {
  const { limit = Infinity, withReplayed = false } = query;
  if (!(await isThere(link, sql))) return;
  const replayed = `l.replayed_at IS NOT NULL OR coalesce(l.replay_offset < ${nextOffset(context)}, false)`;
  const wanted = `${isOf(context)} AND ${isAsked(query)} ${withReplayed ? '' : `AND NOT (${replayed})`}`;
  let last = '0';
  for (let left = limit; left > 0; left -= PAGE) {
    const answers = await link
      .run(
        `SELECT l.id, l.partition, l.row_offset, l.op, l.row, l.code, l.message, l.column_name, l.written_at,
          coalesce(l.replayed_at, CASE WHEN ${replayed} THEN l.written_at END) FROM ${sql} l
        WHERE ${wanted} AND l.id > ${last} ORDER BY l.id LIMIT ${Math.min(PAGE, left)}`,
      )
      .catch((error: unknown) => {
        throw mapError(error);
      });
    const rows = answers[0]?.rows ?? [];
    yield* rows.map(readLetter);
    last = rows.at(-1)?.[0] ?? last;
    if (rows.length < PAGE) return;
  }
}

/** Neither the table nor the schema need be there where no row was ever set aside. */
async function isThere(link: Link, sql: string): Promise<boolean> {
  const [answer] = await link.run(
    `SELECT FROM (VALUES (1)) v WHERE pg_catalog.to_regclass(${literal(sql)}) IS NOT NULL AND pg_catalog.to_regclass('eos.positions') IS NOT NULL`,
  );
  return (answer?.rows.length ?? 0) > 0;
}

function readLetter(row: TextRow): DeadLetter {
  const [id, partition, offset, op, json, code, message, column, writtenAt, replayedAt] = row;
  const names = ['+I', '-U', '+U', '-D'] as const;
  return {
    id: String(id),
    partition: String(partition),
    ...(offset == null ? {} : { offset: BigInt(offset) }),
    op: names[parseOp(op) ?? 0],
    // What jsonb holds is JSON.
    row: JSON.parse(json ?? 'null') as JsonValue,
    code: String(code),
    message: String(message),
    ...(column == null ? {} : { column }),
    writtenAt: new Date(String(writtenAt)),
    ...(replayedAt == null ? {} : { replayedAt: new Date(replayedAt) }),
  };
}

interface ReplayRun {
  readonly source: ReturnType<typeof letterSource>;
  readonly connector: SinkConnector<unknown>;
}

async function replay(
  box: LetterBox,
  query: DeadLetterQuery,
  signal: AbortSignal | undefined,
  { source, connector }: ReplayRun,
): Promise<DeadLetterReplay> {
  const { link, sql, context } = box;
  try {
    await ensureCatalog(link);
    if (!(await isThere(link, sql))) return { replayed: 0, rejected: 0 };
    await markReplayed(box);
    await enlist(box, query);
  } catch (error) {
    throw mapError(error);
  }
  const { pipeline: id, sink } = recordOf(context);
  const run = pipeline({ id, source, sinks: { [sink]: connector }, trigger: { rows: ROWS_PER_COMMIT } });
  const { written, rejected } = await run.run({ signals: [], ...(signal === undefined ? {} : { signal }) });
  await markReplayed(box).catch((error: unknown) => {
    throw mapError(error);
  });
  return { replayed: written - rejected, rejected };
}

/** What is below the position is in the destination. */
async function markReplayed({ link, sql, context }: LetterBox): Promise<void> {
  await link.run(`UPDATE ${sql} l SET replayed_at = pg_catalog.now()
    WHERE ${isOf(context)} AND l.replay_offset < ${nextOffset(context)} AND l.replayed_at IS NULL`);
}

/**
 * Numbers the letters that are to be replayed, behind those that an earlier replay has numbered. Ids would not do: a transaction with
 * lower ones may commit later, and what a replay has passed it never sees again.
 */
async function enlist({ link, sql, context }: LetterBox, query: DeadLetterQuery): Promise<void> {
  const limit = query.limit === undefined ? '' : `LIMIT ${query.limit}`;
  const text = `
    BEGIN; ${SETUP_LOCK};
    UPDATE ${sql} t SET replay_offset = first.number + asked.place - 1
      FROM (SELECT greatest(coalesce(max(l.replay_offset) + 1, 0), ${nextOffset(context)}) AS number
          FROM ${sql} l WHERE ${isOf(context)}) first,
        (SELECT id, pg_catalog.row_number() OVER (ORDER BY id) AS place FROM (
          SELECT l.id FROM ${sql} l WHERE ${isOf(context)} AND ${isAsked(query)}
            AND l.replay_offset IS NULL AND l.replayed_at IS NULL ORDER BY l.id ${limit}) waiting) asked
      WHERE t.id = asked.id;
    COMMIT`;
  await link.run(text).catch(async (error: unknown) => {
    await link.run('ROLLBACK').catch(() => undefined);
    throw error;
  });
}

/** A row that is rejected again waits on, with the new reason: told in the transaction that moves the position beyond it. */
function rejectedAgain({ sql, context }: LetterBox): ReturnType<StoreOf> {
  return (letters) => {
    const rows = letters.map(({ offset, error }) => {
      const { sqlState, column, constraint } = error.details;
      const fields = [
        `${offset ?? -1n}::bigint`,
        literal(error.code),
        textOrNull(sqlState),
        storable(error.message),
      ];
      return `(${[...fields, textOrNull(column), textOrNull(constraint)].join(', ')})`;
    });
    return `UPDATE ${sql} l SET replay_offset = NULL, code = v.code, sql_state = v.sql_state::text, message = v.message,
        column_name = v.column_name::text, constraint_name = v.constraint_name::text
      FROM (VALUES ${rows.join(', ')}) AS v (number, code, sql_state, message, column_name, constraint_name)
      WHERE ${isOf(context)} AND l.replay_offset = v.number`;
  };
}
