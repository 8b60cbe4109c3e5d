/** What must hold whenever the destination grants or refuses a claim (laws 1, 4 and 5), by code of its own. */
import { isEosError, type Claim, type Position, type Positions } from '@eos/core';
import type { History, SentClaim } from './history.js';
import type { Incarnation } from './incarnation.js';
import { NoAnswer, type Delivery } from './network.js';
import type { Store } from './store.js';
import type { World } from './world.js';

export class ClaimInvariants {
  constructor(
    private readonly world: World,
    private readonly store: Store,
    private readonly history: History,
  ) {}

  /** A process is about to send a claim. */
  sent(process: Incarnation, { partitions, owner }: Claim): SentClaim {
    if (process.isFenced) this.world.violate(`${process.name} claims again after it was told to stop`);
    const claim: SentClaim = {
      process,
      owner,
      partitions,
      knownEpochs: new Map(process.knownEpochs),
      sentAt: this.world.scheduler.step,
      assignment: process.assignment,
      hadNoEffect: false,
    };
    this.history.claimsSent.push(claim);
    return claim;
  }

  /** Whether the process has claimed before what it claims now: only then does a refusal mean that it was fenced. */
  mayHold(process: Incarnation): boolean {
    const claims = this.history.claimsSent.filter(
      (claim) => claim.process === process && claim.assignment === process.assignment && !claim.hadNoEffect,
    );
    return claims.length > 1;
  }

  /** The claim takes effect at the destination, or is refused. */
  step(sent: SentClaim, claim: Claim, delivery: Delivery): Positions {
    const before = this.store.positions;
    if (!delivery.isAwaited && isOfRegression(claim, before)) {
      this.world.trace(() => `  ${this.#name(sent)} is lost: see the known limit in README.md`);
      throw new NoAnswer('lost');
    }
    try {
      const positions = this.store.claim(claim);
      for (const partition of claim.partitions) {
        this.#granted(sent, partition, before.get(partition), positions.get(partition));
        this.history.landed(partition, { claim: sent, landedAt: this.world.scheduler.step });
      }
      if (!delivery.isAwaited) this.world.note('late claim');
      this.world.trace(() => `  ${this.#name(sent)} holds ${claim.partitions.join(', ')}`);
      return positions;
    } catch (error) {
      this.world.trace(() => `  ${this.#name(sent)} refused: ${String(error)}`);
      if (delivery.isAwaited) this.#refused(sent, before, error);
      else this.world.note('late claim refused');
      throw error;
    }
  }

  /**
   * Whether a process that finds `found` must stop. Not where the destination is behind what it told the process, and not where
   * nobody else has claimed since the partition was assigned to the process.
   * @param known the last epoch that the destination told the process
   */
  isTakeover(process: Incarnation, partition: string, found: Position | undefined, known: bigint): boolean {
    if (found === undefined || found.epoch < known) return false;
    // The claim itself may be what the destination lost; without a change of the epoch nobody can tell that from a takeover.
    if (this.history.disturbedAt >= process.assignedAt) return true;
    const holder = this.history.claimOf(partition, found.owner);
    if (holder === undefined) return false;
    const { claim, landedAt } = holder;
    // A claim of its own for an earlier assignment is a stranger's: it may come late.
    if (claim.process === process && claim.assignment === process.assignment) return false;
    return landedAt >= process.assignedAt;
  }

  #granted(sent: SentClaim, partition: string, found: Position | undefined, now: Position | undefined): void {
    const violate = (problem: string) => this.world.violate(problem);
    const who = this.#name(sent);
    if (now?.owner !== sent.owner)
      violate(`${who} was granted ${partition}, and the record names another owner`);
    if (found === undefined || found.epoch === 0n) return;
    if (found.epoch !== now?.epoch || found.offset !== now.offset || found.txId !== now.txId) {
      violate(`the claim of ${who} changed more than the owner of ${partition}`);
    }
    if (found.target !== this.store.target)
      violate(`${who} was granted ${partition}, which belongs to another table`);
    this.#checkTurns(sent, partition, found);
  }

  /** Nobody takes a partition back by trying again: neither who held it, nor who may have held it. */
  #checkTurns(sent: SentClaim, partition: string, found: Position): void {
    const holder = this.history.claimOf(partition, found.owner);
    if (holder === undefined || holder.claim.process === sent.process) return;
    if (found.epoch < (sent.knownEpochs.get(partition) ?? 0n)) return;
    for (const earlier of this.history.claimsSent) {
      if (earlier === sent) return;
      const mayHaveHeld =
        earlier.process === sent.process &&
        earlier.assignment === sent.assignment &&
        earlier.partitions.includes(partition) &&
        !earlier.hadNoEffect;
      if (!mayHaveHeld || earlier.sentAt >= holder.landedAt || this.history.disturbedAt >= earlier.sentAt)
        continue;
      this.world.violate(
        `${this.#name(sent)} took ${partition} back from ${holder.claim.process.name}, which had taken it over`,
      );
      return;
    }
  }

  #refused(sent: SentClaim, before: Positions, error: unknown): void {
    const isDue = (due: (partition: string, found: Position | undefined) => boolean) =>
      sent.partitions.some((partition) => due(partition, before.get(partition)));
    if (isEosError(error, 'EOS_TARGET_CHANGED')) {
      const due = isDue(
        (_, found) => found !== undefined && found.epoch > 0n && found.target !== this.store.target,
      );
      if (!due) this.world.violate(`${this.#name(sent)} was refused for a table that is the same`);
      return;
    }
    const due = isDue((partition, found) =>
      this.isTakeover(sent.process, partition, found, sent.knownEpochs.get(partition) ?? 0n),
    );
    if (isEosError(error, 'EOS_FENCED') && due) return;
    this.world.violate(`${this.#name(sent)} was refused without a reason: ${String(error)}`);
  }

  #name({ process, owner }: SentClaim): string {
    return `${process.name} (${this.world.name('owner', owner)})`;
  }
}

/** Whether the claim is let through because the destination is behind what it names (law 5), whoever holds the partition now. */
function isOfRegression({ replacing }: Claim, found: Positions): boolean {
  return [...replacing].some(([partition, { epoch }]) => (found.get(partition)?.epoch ?? 0n) < epoch);
}
