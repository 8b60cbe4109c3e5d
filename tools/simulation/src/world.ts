/** What all parts of one schedule share. */
import type { Core } from './core.js';
import type { Oracle } from './oracle.js';
import type { Plan } from './plan.js';
import type { Random } from './random.js';
import type { Scheduler } from './scheduler.js';

export interface World {
  readonly core: Core;
  readonly plan: Plan;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly oracle: Oracle;
  /** True until the schedule's end, where nothing fails any more. */
  isStormy(): boolean;
  /** Adds a line to the trace. The text is made only where somebody wants it. */
  trace(text: () => string): void;
  /** Records that an invariant does not hold; the first one ends the schedule. */
  violate(problem: string): void;
  /** A short name for a random number, by the order of first mention: traces must repeat. */
  name(kind: 'owner' | 'tx', id: bigint | null | undefined): string;
}
