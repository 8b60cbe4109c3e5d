/**
 * Going on after being fenced, for a member of a group (law 4): with back-off, and not for ever. What the group assigns to two processes,
 * one of which does not know yet that it is out, settles itself; two groups by mistake would take turns.
 */
import type { EosError } from '../errors.js';
import { backoff, type RetryOptions } from './backoff.js';
import type { Environment } from './environment.js';
import type { Publish } from './events.js';

/** After as many milliseconds without being fenced the next time is the first of a row again. Commits in between say nothing: taking turns, both commit. */
const QUIET_MS = 60_000;

export class Rejoining {
  #attempt = 0;
  #lastFence = -Infinity;

  constructor(
    private readonly options: RetryOptions,
    private readonly environment: Environment,
    private readonly publish: Publish,
  ) {}

  /**
   * Waits before the group is asked again, no longer than until `signal` is aborted.
   * @throws `error` where it came too often in a row
   */
  async pause(error: EosError, signal: AbortSignal): Promise<void> {
    const now = this.environment.now();
    this.#attempt = now - this.#lastFence > QUIET_MS ? 1 : this.#attempt + 1;
    this.#lastFence = now;
    if (this.#attempt >= this.options.attempts) throw error;
    this.publish('eos:fence', () => ({ error, isOver: false }));
    await this.environment.sleep(backoff(this.#attempt, this.options, this.environment), signal);
  }
}
