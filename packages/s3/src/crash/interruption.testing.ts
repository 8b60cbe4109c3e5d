/** Where a writer is struck: at one of its requests to the store, counted. */

/**
 * - `before`: it dies in front of the request, which is never sent.
 * - `after`: it dies when the request has taken effect, before it learns so.
 * - `lost`: the request takes effect, and its answer is lost; the writer lives.
 * - `late`: the writer is told that the connection is gone; the request takes effect at `release()`.
 */
export type Blow = 'before' | 'after' | 'lost' | 'late';

export const BLOWS: readonly Blow[] = ['before', 'after', 'lost', 'late'];

export interface Interruption {
  readonly blow: Blow;
  /** Which request, from 1. */
  readonly at: number;
}

/** A way to the store on which one request can be struck. */
export interface Interrupter {
  /** From now on, requests are counted from 1. */
  arm(interruption?: Interruption): void;
  /** How many there have been since `arm`. */
  readonly count: number;
  /** Resolves when the writer is dead: nothing of what it still does arrives. */
  readonly death: Promise<void>;
  /** Delivers what is late, and resolves when the store has dealt with it. */
  release(): Promise<void>;
}

/** The state that all ways to be struck have in common. */
export class Strikes implements Interrupter {
  #armed: Interruption | undefined;
  #count = 0;
  #isDead = false;
  #late: (() => Promise<unknown>)[] = [];
  #die: () => void = () => undefined;
  death = this.#newDeath();

  get count(): number {
    return this.#count;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  arm(interruption?: Interruption): void {
    this.#armed = interruption;
    this.#count = 0;
    this.#isDead = false;
    this.#late = [];
    this.death = this.#newDeath();
  }

  /** To be called once for each request; what becomes of it. */
  next(): Blow | undefined {
    this.#count++;
    const { at, blow } = this.#armed ?? {};
    return at === this.#count ? blow : undefined;
  }

  die(): void {
    this.#isDead = true;
    this.#die();
  }

  keep(request: () => Promise<unknown>): void {
    this.#late.push(request);
  }

  async release(): Promise<void> {
    for (const request of this.#late.splice(0)) await request().catch(() => undefined);
  }

  #newDeath(): Promise<void> {
    return new Promise((resolve) => (this.#die = resolve));
  }
}
