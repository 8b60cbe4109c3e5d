/** What all parts of one schedule share. */
import type { Oracle } from './oracle.js';
import type { Plan } from './plan.js';
import type { Random } from './random.js';
import type { Scheduler } from './scheduler.js';

/** What a schedule should bring about now and then: a simulation in which it never happens proves nothing about it. */
export const HAPPENINGS = [
  'crash',
  'freeze',
  'stop',
  'revocation',
  'outage',
  'restore',
  'table replaced',
  'late claim',
  'late claim refused',
  'late commit',
  'late commit refused',
  'commit acknowledged',
  'settled as committed',
  'settled as aborted',
  'settled in part',
  'regression',
  'fence',
  'rejoin',
  'gave up',
] as const;

export type Happening = (typeof HAPPENINGS)[number];

export interface World {
  readonly plan: Plan;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly oracle: Oracle;
  /** True until the schedule's end, where nothing fails any more. */
  isStormy(): boolean;
  /** Notes that it happened. */
  note(happening: Happening): void;
  /** Adds a line to the trace. The text is made only where somebody wants it. */
  trace(text: () => string): void;
  /** Records that an invariant does not hold; the first one ends the schedule. */
  violate(problem: string): void;
  /** A short name for a random number, by the order of first mention: traces must repeat. */
  name(kind: 'owner' | 'tx', id: bigint | null | undefined): string;
}
