/**
 * Poolers such as PgBouncer. What Eos says to a connection (settings, temporary tables, the process that a claim lists) has to stay with
 * it; a pooler that hands the server's connections from transaction to transaction takes that away, and gives it to somebody else.
 */
import { EosError, isEosError, randomId } from '@eos/core';
import type { Link, TextRow } from './connection.js';
import { isServerError } from './error-map.js';
import { literal } from './identifiers.js';

/**
 * Whether somebody between answers for the server: a pooler tells its client of another process than the one that does the work,
 * because a request to cancel has to come to it first. https://www.postgresql.org/docs/current/protocol-flow.html
 */
export function isPooled({ client, pid }: Link): boolean {
  const told: unknown = 'processID' in client ? client.processID : undefined;
  return told !== pid;
}

/** Each round one connection holds a transaction while the other one idles. */
const ROUNDS = 8;

/** A pool that has to make a connection first takes a moment; one that may not have another waits for minutes. */
const ANSWER_MS = 10_000;

/**
 * Refuses a pooler that shares the server's connections out by transaction. In an idle pool, taking turns in holding one makes it
 * hand out another than before, however it chooses; in a busy one, somebody else is soon seen at work on what was ours. What is seen is
 * proof, what is not is evidence.
 * @throws EOS_CONFIG
 */
export async function checkPooling([first, second]: readonly [Link, Link]): Promise<void> {
  if (!isPooled(first) && !isPooled(second)) return;
  if (first.pid === second.pid) throw sharedError();
  for (let round = 0; round < ROUNDS; round += 1) {
    const [holder, idle] = round % 2 === 0 ? [first, second] : [second, first];
    const mark = `eos:${randomId()}`;
    const [own] = await ask(idle, `SELECT pg_catalog.pg_backend_pid(), ${literal(mark)}`);
    const [held, latest] = await ask(
      holder,
      `BEGIN; SELECT pg_catalog.pg_backend_pid(), query FROM pg_catalog.pg_stat_activity WHERE pid OPERATOR(pg_catalog.=) ${idle.pid}`,
    );
    await holder.run('COMMIT');
    const isOurs = Number(own) === idle.pid && Number(held) === holder.pid;
    if (!isOurs || isOfAnother(latest ?? '', mark)) throw sharedError();
  }
}

/** A server that does not track what its sessions do shows nothing, or why. */
function isOfAnother(query: string, mark: string): boolean {
  return query !== '' && !query.startsWith('<') && !query.includes(mark);
}

async function ask(link: Link, query: string): Promise<TextRow> {
  const answers = await link.run(query, ANSWER_MS).catch((error: unknown) => {
    if (isServerError(error) && error.code === NO_TRANSACTIONS) throw sharedError(error);
    throw isEosError(error, 'EOS_UNAVAILABLE') ? tooFewError(error) : error;
  });
  return answers.at(-1)?.rows[0] ?? [];
}

/** What a pool by statement answers to a BEGIN: a violation of the protocol. */
const NO_TRANSACTIONS = '08P01';

function sharedError(cause?: unknown): EosError {
  const message =
    `connection: the pooler in between (such as PgBouncer with pool_mode = transaction) hands the server's connections out by ` +
    `transaction, and a session of Eos needs its own for settings, temporary tables and claims: connect past it, or to a pool with ` +
    `pool_mode = session`;
  return new EosError('EOS_CONFIG', message, { cause, details: { option: 'connection' } });
}

function tooFewError(cause: unknown): EosError {
  const message =
    'connection: a session takes two connections of the server, and the pooler in between gives one';
  return new EosError('EOS_CONFIG', message, { cause, details: { option: 'connection' } });
}
