import type { Laboratory as PostgresLaboratory } from '../laboratory.js';
import type { Measurement } from '../measurement.js';

/** A piece of work that yields one or more measurements. */
export interface BenchCase<Laboratory = PostgresLaboratory> {
  /** The names of all its measurements, so that a filter can tell whether it has to run. */
  readonly names: readonly string[];
  measure(laboratory: Laboratory): Promise<readonly Measurement[]>;
}
