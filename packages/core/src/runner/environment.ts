/** What the runner takes from the world besides source and sink: the simulation puts its own here. */
import { setTimeout as delay } from 'node:timers/promises';

export interface Environment {
  /** Milliseconds, monotone. Decides when to commit, never whether a commit is right (law 6). */
  now(): number;
  /** Calls back after `milliseconds`, never where that is Infinity; returns what cancels it. */
  after(milliseconds: number, callback: () => void): () => void;
  /** Resolves after `milliseconds`, or at once when `signal` is aborted. Never rejects. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
  /** A number in [0, 1), for jitter. */
  random(): number;
}

/** Node's timers hold 31 bits of milliseconds, and fire at once beyond. */
const LONGEST_TIMER = 2 ** 31 - 1;

export const systemEnvironment: Environment = {
  now: () => performance.now(),
  after(milliseconds, callback) {
    if (milliseconds === Infinity) return () => {};
    const timer = setTimeout(callback, Math.min(milliseconds, LONGEST_TIMER));
    return () => clearTimeout(timer);
  },
  sleep: (milliseconds, signal) =>
    delay(Math.min(milliseconds, LONGEST_TIMER), undefined, { signal }).catch(() => undefined),
  random: () => Math.random(),
};
