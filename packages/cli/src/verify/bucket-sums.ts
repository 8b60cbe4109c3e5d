/**
 * Two multisets of rows, of which only sums are kept: rows fall into buckets by their hash, and each bucket holds the sum of the
 * hashes of one side minus that of the other. The order of the rows does not matter, nor does how many there are: memory is 20 bytes a
 * bucket. A bucket in which all sums are zero holds the same rows on both sides (but for a chance of 2^-128).
 */
import type { RowHash } from './row-hash.js';

export class BucketSums {
  readonly #sums: Int32Array;
  readonly #counts: Int32Array;

  /** @param count a power of two */
  constructor(readonly count: number) {
    this.#sums = new Int32Array(4 * count);
    this.#counts = new Int32Array(count);
  }

  /** Adds a row `times` (1 or -1). */
  add(bucket: number, row: RowHash, times: number): void {
    this.addSums(bucket, row.a, row.b, row.c, row.d, times);
  }

  addSums(bucket: number, a: number, b: number, c: number, d: number, times: number): void {
    const at = 4 * bucket;
    const sums = this.#sums;
    sums[at] = (sums[at] ?? 0) + times * a;
    sums[at + 1] = (sums[at + 1] ?? 0) + times * b;
    sums[at + 2] = (sums[at + 2] ?? 0) + times * c;
    sums[at + 3] = (sums[at + 3] ?? 0) + times * d;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + times;
  }

  /** Whether the two sides of a bucket hold different rows. */
  differs(bucket: number): boolean {
    const at = 4 * bucket;
    const [sums, count] = [this.#sums, this.#counts[bucket]];
    return count !== 0 || sums[at] !== 0 || sums[at + 1] !== 0 || sums[at + 2] !== 0 || sums[at + 3] !== 0;
  }

  /** How many buckets differ. */
  differing(): number {
    let differing = 0;
    for (let bucket = 0; bucket < this.count; bucket++) if (this.differs(bucket)) differing++;
    return differing;
  }

  /** The sums over all buckets, as one text: a digest of what was added that does not depend on its order. */
  digest(): string {
    const total = new Int32Array(5);
    for (let at = 0; at < this.#sums.length; at++)
      total[at & 3] = (total[at & 3] ?? 0) + (this.#sums[at] ?? 0);
    for (const count of this.#counts) total[4] = (total[4] ?? 0) + count;
    return total.join(',');
  }
}
