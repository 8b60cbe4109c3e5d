/** The rows that a sink has set aside, to be looked at and written again. */
import {
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
import { inTransaction } from '../law/begin.js';
import { ensureCatalog, inSetUp } from '../law/catalog.js';
import { openLink, type Link, type TextRow } from '../connection/connection.js';
import { mapError } from '../connection/error-map.js';
import { literal, quoteTable } from '../connection/identifiers.js';
import { isAsked, limitOf } from './letter-query.js';
import { letterSource } from './letter-source.js';
import { storable, textOrNull, type StoreOf } from './letter-table.js';
import { checkReplayable, hasLetters, isOf, isReplayed, nextOffset, recordOf } from './replay-record.js';
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

async function* listLetters(
  { link, sql, context }: LetterBox,
  query: DeadLetterQuery = {},
): AsyncIterable<DeadLetter> {
  const { withReplayed = false } = query;
  const limit = limitOf(query);
  const asked = isAsked(query);
  if (!(await hasLetters(link, sql))) return;
  const replayed = isReplayed(context);
  const wanted = `${isOf(context)} AND ${asked} ${withReplayed ? '' : `AND NOT ${replayed}`}`;
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
  const waiting = waitingText(box, query);
  checkReplayable(context);
  try {
    await ensureCatalog(link);
    if (!(await hasLetters(link, sql))) return { replayed: 0, rejected: 0 };
    await markReplayed(box);
    await enlist(box, waiting);
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
  await inTransaction(
    link,
    `UPDATE ${sql} l SET replayed_at = pg_catalog.now()
    WHERE ${isOf(context)} AND l.replay_offset < ${nextOffset(context)} AND l.replayed_at IS NULL`,
  );
}

/**
 * SQL: the letters that a replay is to write.
 * @throws EOS_CONFIG
 */
function waitingText({ sql, context }: LetterBox, query: DeadLetterQuery): string {
  const limit = limitOf(query);
  return `SELECT l.id FROM ${sql} l WHERE ${isOf(context)} AND ${isAsked(query)}
    AND l.replay_offset IS NULL AND l.replayed_at IS NULL ORDER BY l.id ${limit === Infinity ? '' : `LIMIT ${limit}`}`;
}

/**
 * Numbers the letters that are to be replayed, behind those that an earlier replay has numbered. Ids would not do: a transaction with
 * lower ones may commit later, and what a replay has passed it never sees again. Replays take turns, and each sees what the one before
 * has numbered: its statement begins after its turn has come.
 */
async function enlist({ link, sql, context }: LetterBox, waiting: string): Promise<void> {
  await inSetUp(
    link,
    `UPDATE ${sql} t SET replay_offset = first.number + asked.place - 1
      FROM (SELECT greatest(coalesce(max(l.replay_offset) + 1, 0), ${nextOffset(context)}) AS number
          FROM ${sql} l WHERE ${isOf(context)}) first,
        (SELECT id, pg_catalog.row_number() OVER (ORDER BY id) AS place FROM (${waiting}) waiting) asked
      WHERE t.id = asked.id`,
  );
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
