/** Trying again what may pass: capped, jittered, and counted from the last commit. */
import { EosError, isEosError } from '../errors.js';
import { backoff, type RetryOptions } from './backoff.js';
import type { Environment } from './environment.js';
import type { Publish } from './events.js';

/** After as many milliseconds without a failure the next one is the first of a row again, also where there was nothing to commit. */
const QUIET_MS = 60_000;

export class Retrying {
  /** How often something was tried again. */
  total = 0;
  #attempt = 0;
  #lastFailure = -Infinity;

  constructor(
    private readonly options: RetryOptions,
    private readonly environment: Environment,
    private readonly publish: Publish,
  ) {}

  /** Something got through: failures are counted from here. */
  succeeded(): void {
    this.#attempt = 0;
  }

  /**
   * Waits before the next try, no longer than until `signal` is aborted.
   * @throws `error` where it cannot pass, or came too often in a row
   */
  async pause(error: unknown, signal: AbortSignal): Promise<void> {
    if (!isEosError(error) || !error.retryable) throw error;
    const now = this.environment.now();
    this.#attempt = now - this.#lastFailure > QUIET_MS ? 1 : this.#attempt + 1;
    this.#lastFailure = now;
    if (this.#attempt >= this.options.attempts) throw gaveUp(error, this.#attempt);
    const [attempt, delay] = [this.#attempt, backoff(this.#attempt, this.options, this.environment)];
    this.publish('eos:retry', () => ({ error, attempt, delay }));
    this.total++;
    await this.environment.sleep(delay, signal);
  }
}

function gaveUp(error: EosError, attempts: number): EosError {
  const { code, outcome, details } = error;
  const message = `gave up after ${attempts} tries without a commit between them: ${error.message}`;
  return new EosError(code, message, { retryable: true, outcome, details, cause: error });
}
