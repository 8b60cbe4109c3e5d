/** One process of the pipeline, from its start until its run ends or it crashes. */
import type { Actor } from './scheduler.js';

export class Incarnation implements Actor {
  isAlive = true;
  frozenUntil = 0;
  /** How its run ended; undefined while it runs, and for ever where it crashed. */
  end: { readonly reason: 'end' | 'stopped' | 'failed'; readonly code: string | undefined } | undefined;
  /** It was told that it lost a claim: until partitions are assigned anew, nothing may be claimed or committed after that. */
  isFenced = false;
  /** Counts the assignments that its source gave it. */
  assignment = 0;
  /** The scheduler's step at which the current assignment was given. */
  assignedAt: number;
  /** Whether it was asked to stop, or had partitions taken away: then a lost answer may stay unsettled. */
  wasInterrupted = false;
  /** Failures that it tried again since its last commit that landed. */
  retries = 0;
  /** The epochs that the destination has told it. */
  readonly knownEpochs = new Map<string, bigint>();
  /** What it opened and has not closed: sessions and readers. */
  readonly open = new Set<string>();
  /** How many readers it has made. */
  readers = 0;
  readonly stop = new AbortController();
  /** What takes its partitions away. */
  readonly revocable = new Set<AbortController>();

  constructor(
    readonly name: string,
    /** The scheduler's step. */
    readonly startedAt: number,
  ) {
    this.assignedAt = startedAt;
  }

  /** Its source gives it partitions: what it claims now, it claims for the first time. */
  assign(step: number): void {
    this.assignment++;
    this.assignedAt = step;
    this.isFenced = false;
    this.knownEpochs.clear();
  }

  /** Lets go of what it would listen to for ever. */
  release(): void {
    for (const revoke of this.revocable) revoke.abort();
    this.stop.abort();
  }

  learn(epochs: Iterable<readonly [string, { readonly epoch: bigint }]>): void {
    for (const [partition, { epoch }] of epochs) this.knownEpochs.set(partition, epoch);
  }
}
