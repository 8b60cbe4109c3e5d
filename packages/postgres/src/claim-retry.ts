/** What to do about a claim that is locked by somebody who does not let go. */
import { setTimeout as delay } from 'node:timers/promises';
import { EosError, type Positions } from '@eos/core';
import { claimPartitions, makeClaims, ofClaim, type ClaimRequest } from './claim.js';
import type { Link } from './connection.js';
import { isServerError } from './error-map.js';
import { literal } from './identifiers.js';

const LOCK_TIMEOUT = '55P03';
const ATTEMPTS = 3;
const LOOK_EVERY_MS = 20;

/** A server process that holds a lock which is waited for. */
interface Blocker {
  readonly pid: string;
  readonly name: string;
  readonly startedAt: string;
  /** Whether the claims list it as a connection of the session that holds them. */
  readonly isListed: boolean;
}

/**
 * Claims, waiting for commits in flight. Whoever still blocks after the lock timeout is looked at: a connection that the
 * claims list as the earlier session's own is terminated (its client is half-open or stopped, or would be fenced next).
 * @throws EOS_UNAVAILABLE, retryable, with process id and name of any other blocker
 */
export async function claimAll(
  [link, watcher]: readonly [Link, Link],
  request: ClaimRequest,
  terminate: boolean,
): Promise<Positions> {
  await makeClaims(link, request);
  for (let attempt = 1; ; attempt += 1) {
    const claim = claimPartitions(link, request);
    const watch = attempt === 1 ? undefined : watchBlockers(claim, link, watcher, request, terminate);
    try {
      return await claim;
    } catch (error) {
      if (!isServerError(error) || error.code !== LOCK_TIMEOUT) throw error;
      const seen = await watch;
      if (attempt > 1 && (attempt === ATTEMPTS || seen?.terminated === 0))
        throw blockedError(error, seen?.blockers);
      await link.run('ROLLBACK');
    }
  }
}

/** While `claim` waits on `link`, looks from `watcher` at what it waits for. Never rejects: the claim itself says what went wrong. */
async function watchBlockers(
  claim: Promise<unknown>,
  link: Link,
  watcher: Link,
  request: ClaimRequest,
  terminate: boolean,
): Promise<{ terminated: number; blockers: readonly Blocker[] }> {
  let isWaiting = true;
  const done = () => (isWaiting = false);
  claim.then(done, done);
  let blockers: readonly Blocker[] = [];
  let terminated = 0;
  const stillWaits = () => isWaiting;
  while (stillWaits()) {
    const found = await findBlockers(link, watcher, request).catch(() => []);
    if (found.length > 0) blockers = found;
    for (const blocker of found) {
      if (terminate && blocker.isListed) terminated += await end(watcher, blocker).catch(() => 0);
    }
    await delay(LOOK_EVERY_MS);
  }
  return { terminated, blockers };
}

async function findBlockers(link: Link, watcher: Link, request: ClaimRequest): Promise<readonly Blocker[]> {
  const [answer] = await watcher.run(`
    SELECT b.pid, coalesce(a.application_name, ''), coalesce(a.backend_start::text, ''), EXISTS (
        SELECT FROM eos.claims c, pg_catalog.jsonb_to_recordset(c.backends) AS x(pid int, "startedAt" timestamptz)
        WHERE ${ofClaim(request)} AND x.pid = a.pid AND x."startedAt" = a.backend_start)
    FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids(${link.pid})) AS b(pid)
      LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = b.pid`);
  return (answer?.rows ?? []).map(([pid, name, startedAt, isListed]) => ({
    pid: String(pid),
    name: String(name),
    startedAt: String(startedAt),
    isListed: isListed === 't',
  }));
}

/** Process id and start name a backend for good, so that no later process of the same id is hit. */
async function end(watcher: Link, { pid, startedAt }: Blocker): Promise<number> {
  const [answer] = await watcher.run(
    `SELECT pg_catalog.pg_terminate_backend(a.pid) FROM pg_catalog.pg_stat_activity a
     WHERE a.pid = ${Number(pid)} AND a.backend_start = ${literal(startedAt)}`,
  );
  return answer?.rows[0]?.[0] === 't' ? 1 : 0;
}

function blockedError(cause: unknown, blockers: readonly Blocker[] = []): EosError {
  const names = blockers.map(({ pid, name }) => `process ${pid} (${JSON.stringify(name)})`).join(', ');
  const message = `the claim is locked by ${names === '' ? 'another transaction' : names}, which does not let go`;
  return new EosError('EOS_UNAVAILABLE', message, { retryable: true, cause, details: { blockers } });
}
