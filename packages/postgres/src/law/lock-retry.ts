/** What to do about a lock that is held by somebody who does not let go. */
import { EosError, type Claim, type SinkContext } from '@eos/core';
import { watchBlockers, type Blocker } from './blockers.js';
import { judgeUnlocked, listedBackends } from './claim.js';
import type { Link } from '../connection/connection.js';
import { isServerError } from '../connection/error-map.js';

const LOCK_TIMEOUT = '55P03';
const ATTEMPTS = 3;

/**
 * Takes locks in a transaction, which fails on the server's lock timeout; `what` names for a message what is locked.
 * @throws what `take` throws; EOS_UNAVAILABLE, retryable, with process id and name of whoever blocks and may not be ended;
 *   EOS_FENCED
 */
export type LockRetry = <T>(what: string, take: () => Promise<T>) => Promise<T>;

/**
 * Locks for a session that is about to claim, taken on the first connection. Whoever still blocks after the lock timeout is looked at
 * from the second: a connection that these very claims list as an earlier session's own is terminated (its client is half-open or
 * stopped, or would be fenced next), and nobody else's.
 */
export function lockRetry(
  [link, watcher]: readonly [Link, Link],
  claim: Claim & SinkContext,
  terminateBlocking: boolean,
): LockRetry {
  return async (what, take) => {
    for (let attempt = 1; ; attempt += 1) {
      // A session that is fenced already must not end the connections of its successor.
      if (attempt > 1) await judgeUnlocked(watcher, claim);
      const listed = attempt > 1 && terminateBlocking ? await listedBackends(watcher, claim) : [];
      const taking = take();
      const watch = attempt > 1 ? watchBlockers(taking, link, { watcher, listed, afterMs: 0 }) : undefined;
      try {
        return await taking;
      } catch (error) {
        if (!isServerError(error) || error.code !== LOCK_TIMEOUT) throw error;
        const seen = await watch;
        if (attempt > 1 && (attempt === ATTEMPTS || seen?.terminated === 0))
          throw blockedError(what, error, seen?.blockers);
        await link.run('ROLLBACK');
      } finally {
        await watch;
      }
    }
  };
}

function blockedError(what: string, cause: unknown, blockers: readonly Blocker[] = []): EosError {
  const names = blockers.map(({ pid, name }) => `process ${pid} (${JSON.stringify(name)})`).join(', ');
  const message = `${what} is locked by ${names === '' ? 'another transaction' : names}, which does not let go`;
  return new EosError('EOS_UNAVAILABLE', message, { retryable: true, cause, details: { blockers } });
}
