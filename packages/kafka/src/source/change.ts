/** Lets any number of waiters go on when something has changed. Each looks for itself at what it was. */
export class Change {
  #waiters: (() => void)[] = [];

  tell(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resume of waiters) resume();
  }

  /** Resolves at the next `tell`. */
  async next(): Promise<void> {
    await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }
}
