/** Random numbers that a seed repeats. */

/** A seeded generator (sfc32): quick, and good enough to draw schedules with. Not for anything secret. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param seed an integer below 2^53 */
  constructor(seed: number) {
    this.#a = seed >>> 0;
    this.#b = Math.floor(seed / 2 ** 32) >>> 0;
    this.#c = 0x9e3779b9;
    // The first numbers of neighbouring seeds look alike.
    for (let round = 0; round < 12; round++) this.#draw();
  }

  /** In [0, 1). */
  next(): number {
    return this.#draw() / 2 ** 32;
  }

  /** An integer in low … high, both included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of `choices`, which must not be empty. */
  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.integer(0, choices.length - 1)];
    if (choice === undefined) throw new RangeError('nothing to pick from');
    return choice;
  }

  /** An integer in 1 … 2^48 - 1. */
  wide(): number {
    return 1 + this.integer(0, 2 ** 20 - 1) * 2 ** 28 + this.integer(0, 2 ** 28 - 2);
  }

  #draw(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }
}

/**
 * The seed of schedule `index` of a run. The first schedule has the run's own seed, so that any schedule is repeated as a run of one.
 */
export function scheduleSeed(runSeed: number, index: number): number {
  if (index === 0) return runSeed;
  return new Random((new Random(runSeed).wide() + index) % 2 ** 48).wide();
}
