import type { StoreHarness } from './harness.js';

export interface BrokenStore {
  readonly name: string;
  readonly caughtBy: string;
  /** A harness of one test; stores of one harness share a bucket. */
  readonly create: () => StoreHarness;
}
