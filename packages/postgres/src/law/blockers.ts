/** Who holds a lock that is waited for, and what may be done about it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Link } from '../connection/connection.js';
import { literal } from '../connection/identifiers.js';

/** A process of the server. Its id and its start name it for good: the id alone is used again. */
export interface Backend {
  readonly pid: number;
  readonly startedAt: string;
}

export interface Blocker extends Backend {
  /** The name that its client gave. */
  readonly name: string;
}

export interface Watch {
  /** Another connection to look from. */
  readonly watcher: Link;
  /** Backends of earlier sessions of the same sink: a claim has made them superfluous, so they may be ended. */
  readonly listed: readonly Backend[];
  readonly afterMs: number;
}

/** What was found in the way. */
export interface Sighting {
  /** Those seen last. */
  readonly blockers: readonly Blocker[];
  readonly terminated: number;
}

const LOOK_EVERY_MS = 50;

/**
 * Looks, while `waiting` is not settled, at what blocks the connection `blocked`, and terminates what is listed. Never
 * rejects: `waiting` itself says what went wrong. When it resolves, the watcher is free again.
 */
export async function watchBlockers(
  waiting: Promise<unknown>,
  blocked: Link,
  { watcher, listed, afterMs }: Watch,
): Promise<Sighting> {
  const over = new AbortController();
  const stop = () => {
    over.abort();
  };
  waiting.then(stop, stop);
  let blockers: readonly Blocker[] = [];
  let terminated = 0;
  const pause = async (milliseconds: number) => {
    await delay(milliseconds, undefined, { signal: over.signal }).catch(() => undefined);
  };
  await pause(afterMs);
  while (!over.signal.aborted) {
    const found = await findBlockers(watcher, blocked).catch(() => []);
    if (found.length > 0) blockers = found;
    for (const blocker of found) {
      if (listed.some((backend) => isSame(backend, blocker))) terminated += await terminate(watcher, blocker);
    }
    await pause(LOOK_EVERY_MS);
  }
  return { blockers, terminated };
}

function isSame(one: Backend, other: Backend): boolean {
  return one.pid === other.pid && one.startedAt === other.startedAt;
}

async function findBlockers(watcher: Link, blocked: Link): Promise<readonly Blocker[]> {
  const [answer] = await watcher.run(`
    SELECT b.pid, coalesce(a.backend_start::text, ''), coalesce(a.application_name, '')
    FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids(${blocked.pid})) AS b(pid)
      LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) b.pid`);
  return (answer?.rows ?? []).map(([pid, startedAt, name]) => ({
    pid: Number(pid),
    startedAt: String(startedAt),
    name: String(name),
  }));
}

/** A role that may not terminate it leaves it. */
async function terminate(watcher: Link, { pid, startedAt }: Backend): Promise<number> {
  const query = `
    SELECT pg_catalog.pg_terminate_backend(a.pid) FROM pg_catalog.pg_stat_activity a
    WHERE a.pid OPERATOR(pg_catalog.=) ${pid} AND a.backend_start = ${literal(startedAt)}`;
  const answers = await watcher.run(query).catch(() => []);
  return answers[0]?.rows[0]?.[0] === 't' ? 1 : 0;
}
