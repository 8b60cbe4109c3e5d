import type { Undecided } from './position-log.js';

export interface Waited extends Undecided {
  /** Since it was first looked at. */
  readonly milliseconds: number;
}

/** How long values have been without an outcome. */
export class Waiting {
  readonly #since = new Map<string, Undecided & { readonly at: number }>();

  /** Of the values of `before`, those that are still undecided, by key. */
  of(before: ReadonlyMap<string, Undecided>, left: ReadonlyMap<string, Undecided>): Map<string, Waited> {
    const now = performance.now();
    const waited = new Map<string, Waited>();
    for (const [key, undecided] of before) {
      if (left.get(key)?.lastOffset !== undecided.lastOffset) continue;
      const known = this.#since.get(key);
      const at = known?.lastOffset === undecided.lastOffset ? known.at : now;
      this.#since.set(key, { ...undecided, at });
      waited.set(key, { ...undecided, milliseconds: now - at });
    }
    return waited;
  }
}
