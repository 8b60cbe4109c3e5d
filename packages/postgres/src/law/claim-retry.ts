/** What to do about a claim that is locked by somebody who does not let go. */
import { EosError } from '@eos/core';
import { watchBlockers, type Blocker } from './blockers.js';
import {
  claimPartitions,
  judgeUnlocked,
  listedBackends,
  makeClaims,
  type Claimed,
  type ClaimRequest,
} from './claim.js';
import type { Link } from '../connection/connection.js';
import { isServerError } from '../connection/error-map.js';

const LOCK_TIMEOUT = '55P03';
const ATTEMPTS = 3;

/**
 * Claims, waiting for commits in flight. Whoever still blocks after the lock timeout is looked at: a connection that the
 * claims list as the earlier session's own is terminated (its client is half-open or stopped, or would be fenced next).
 * @throws EOS_UNAVAILABLE, retryable, with process id and name of any other blocker
 */
export async function claimAll(
  [link, watcher]: readonly [Link, Link],
  request: ClaimRequest,
  terminateBlocking: boolean,
): Promise<Claimed> {
  await makeClaims(link, request);
  for (let attempt = 1; ; attempt += 1) {
    // A session that is fenced already must not end the connections of its successor.
    if (attempt > 1) await judgeUnlocked(watcher, request);
    const listed = attempt > 1 && terminateBlocking ? await listedBackends(watcher, request) : [];
    const claim = claimPartitions(link, request);
    const watch = attempt > 1 ? watchBlockers(claim, link, { watcher, listed, afterMs: 0 }) : undefined;
    try {
      return await claim;
    } catch (error) {
      if (!isServerError(error) || error.code !== LOCK_TIMEOUT) throw error;
      const seen = await watch;
      if (attempt > 1 && (attempt === ATTEMPTS || seen?.terminated === 0))
        throw blockedError(error, seen?.blockers);
      await link.run('ROLLBACK');
    } finally {
      await watch;
    }
  }
}

function blockedError(cause: unknown, blockers: readonly Blocker[] = []): EosError {
  const names = blockers.map(({ pid, name }) => `process ${pid} (${JSON.stringify(name)})`).join(', ');
  const message = `the claim is locked by ${names === '' ? 'another transaction' : names}, which does not let go`;
  return new EosError('EOS_UNAVAILABLE', message, { retryable: true, cause, details: { blockers } });
}
