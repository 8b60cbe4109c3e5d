/** What really happened at the destination, kept beside it: who claimed what and when, and what became of each transaction. */
import type { Incarnation } from './incarnation.js';

/** A claim of several partitions, as it was sent. */
export interface SentClaim {
  readonly process: Incarnation;
  readonly owner: bigint;
  readonly partitions: readonly string[];
  readonly knownEpochs: ReadonlyMap<string, bigint>;
  readonly sentAt: number;
  /** Which assignment of the process it was for. */
  readonly assignment: number;
  /** The client was told that it had no effect. */
  hadNoEffect: boolean;
}

/** A claim that took effect on one partition. */
export interface LandedClaim {
  readonly claim: SentClaim;
  readonly landedAt: number;
}

/** A transaction whose commit was sent. */
export interface SentTransaction {
  readonly process: Incarnation;
  readonly txId: bigint;
  readonly sentAt: number;
  /** By partition: how many rows of the source and of the transform it carries. */
  readonly sizes: ReadonlyMap<string, { readonly rows: number; readonly written: number }>;
  readonly landed: Set<string>;
  /** What the process knows: its commit was acknowledged, or settled as committed. */
  readonly known: Set<string>;
  /** Settled as aborted: it must never land after that. */
  readonly aborted: Set<string>;
}

export class History {
  /** Step of the last time that the destination went back or was replaced; -1 for never. */
  disturbedAt = -1;
  readonly claimsSent: SentClaim[] = [];
  readonly transactions = new Map<bigint, SentTransaction>();
  readonly #landed = new Map<string, LandedClaim[]>();

  landed(partition: string, claim: LandedClaim): void {
    const earlier = this.#landed.get(partition) ?? [];
    this.#landed.set(partition, [...earlier, claim]);
  }

  /** The claim by which `owner` holds the partition. */
  claimOf(partition: string, owner: bigint): LandedClaim | undefined {
    return this.#landed.get(partition)?.findLast(({ claim }) => claim.owner === owner);
  }

  /** True where another process claimed the partition since `step`, or the destination was disturbed. */
  wasTakenSince(partition: string, process: Incarnation, step: number): boolean {
    if (this.disturbedAt >= step) return true;
    return (this.#landed.get(partition) ?? []).some(
      ({ claim, landedAt }) => claim.process !== process && landedAt >= step,
    );
  }

  /** Partitions that anybody has claimed. */
  get partitions(): readonly string[] {
    return [...this.#landed.keys()];
  }
}
