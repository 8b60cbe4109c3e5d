/**
 * Lets one waiter sleep until any of several things happens. Racing promises instead would leave a reaction on the long-lived
 * ones (stop, a commit) at every turn.
 */
export class Wakeup {
  #resolve: (() => void) | undefined;
  #woken = false;

  readonly wake = (): void => {
    this.#woken = true;
    this.#resolve?.();
  };

  /** Resolves at once where `wake` was called since the last wait. */
  async wait(): Promise<void> {
    if (!this.#woken) {
      await new Promise<void>((resolve) => {
        this.#resolve = resolve;
      });
    }
    this.#resolve = undefined;
    this.#woken = false;
  }
}
