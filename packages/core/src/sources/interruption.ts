/** Ending a wait from outside. */
import type { EosError } from '../errors.js';
import { abortedError, closedError } from './reader-errors.js';

/** Waits for what may never come, until a signal or `close` ends it. */
export class Interruption {
  #reason: EosError | undefined;
  #reject: ((reason: EosError) => void) | undefined;

  constructor(private readonly signal: AbortSignal) {
    signal.addEventListener('abort', this.#onAbort, { once: true });
    if (signal.aborted) this.#onAbort();
  }

  /**
   * The outcome of `work`, unless it is interrupted before. One wait at a time.
   * @throws EOS_ABORTED, EOS_CLOSED
   */
  async wait<T>(work: Promise<T>): Promise<T> {
    this.check();
    // Not a race with one lasting promise: each race would leave a reaction on it.
    return await new Promise<T>((resolve, reject) => {
      this.#reject = reject;
      work.then(resolve, reject);
    });
  }

  /** @throws EOS_ABORTED, EOS_CLOSED where it was interrupted */
  check(): void {
    if (this.#reason !== undefined) throw this.#reason;
  }

  close(): void {
    this.signal.removeEventListener('abort', this.#onAbort);
    this.#interrupt(closedError());
  }

  readonly #onAbort = () => {
    this.#interrupt(abortedError());
  };

  #interrupt(reason: EosError): void {
    this.#reason ??= reason;
    this.#reject?.(this.#reason);
  }
}
