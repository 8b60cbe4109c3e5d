/**
 * What this process knows of its own claims (law 1): its first claim of a partition takes over, every later one is conditional, so
 * that nobody steals a newer claim by trying again. Kept by the pipeline from run to run; an entry goes when its assignment ends.
 */
import { EosError, isEosError } from '../errors.js';
import { randomId, type Owner, type PartitionId } from '../identifiers.js';
import type { Position, Positions } from '../positions.js';
import type { EarlierClaim, Sink, SinkSession } from '../sink.js';
import type { Publish } from './events.js';

interface Entry {
  readonly owners: Set<Owner>;
  epoch: bigint;
}

export class ClaimLedger {
  readonly #entries = new Map<PartitionId, Entry>();

  constructor(private readonly publish: Publish) {}

  /** An assignment ended, or was taken away: the next claim of its partitions is a first one again. */
  forget(partitions: readonly PartitionId[]): void {
    for (const partition of partitions) this.#entries.delete(partition);
  }

  /** Claims `partitions`; remembers the token also where the answer of the claim was lost. */
  async recover<Row>(sink: Sink<Row>, partitions: readonly PartitionId[]): Promise<SinkSession<Row>> {
    const before = await this.#lookBeforeFirstClaim(sink, partitions);
    const owner = randomId();
    try {
      const session = await sink.recover(partitions, { owner, replacing: this.#earlierClaims(partitions) });
      this.#claimed(session.positions, owner);
      return session;
    } catch (error) {
      if (isEosError(error) && error.outcome === 'unknown') this.#maybeClaimed(partitions, owner, before);
      throw error;
    }
  }

  /** A commit was acknowledged: what is found later must not lie behind it. */
  advanced(positions: Positions): void {
    for (const [partition, { epoch }] of positions) {
      const entry = this.#entries.get(partition);
      if (entry !== undefined) entry.epoch = epoch;
    }
  }

  /**
   * A first claim whose answer is lost is repeated conditionally: on its own token, or on what was there before it. That must be
   * known beforehand.
   */
  async #lookBeforeFirstClaim<Row>(sink: Sink<Row>, partitions: readonly PartitionId[]): Promise<Positions> {
    const unknown = partitions.filter((partition) => !this.#entries.has(partition));
    return unknown.length === 0 ? new Map<PartitionId, Position>() : await sink.positions(unknown);
  }

  #earlierClaims(partitions: readonly PartitionId[]): ReadonlyMap<PartitionId, EarlierClaim> {
    const earlier = new Map<PartitionId, EarlierClaim>();
    for (const partition of partitions) {
      const entry = this.#entries.get(partition);
      if (entry !== undefined) earlier.set(partition, entry);
    }
    return earlier;
  }

  #claimed(positions: Positions, owner: Owner): void {
    for (const [partition, { epoch }] of positions) {
      const expected = this.#entries.get(partition)?.epoch ?? 0n;
      if (epoch < expected) this.publish('eos:regress', () => ({ partition, expected, found: epoch }));
      this.#entries.set(partition, { owners: new Set([owner]), epoch });
    }
  }

  #maybeClaimed(partitions: readonly PartitionId[], owner: Owner, before: Positions): void {
    for (const partition of partitions) {
      const found = before.get(partition);
      const entry = this.#entries.get(partition) ?? {
        owners: new Set(found === undefined ? [] : [found.owner]),
        epoch: found?.epoch ?? 0n,
      };
      entry.owners.add(owner);
      this.#entries.set(partition, entry);
    }
  }
}

/** A transaction whose commit was sent, until its answer is there. */
export interface SentCommit {
  readonly txId: bigint;
  readonly from: Positions;
}

/**
 * Settles a lost answer by what `recover` found (law 3): committed exactly where the position carries its txId.
 * @throws EOS_CONFORMANCE where the positions are neither before nor after that commit, or only some of an atomic transaction moved
 */
export function settle(
  { txId, from }: SentCommit,
  found: Positions,
  atomic: 'transaction' | 'partition',
): ReadonlyMap<PartitionId, 'committed' | 'aborted'> {
  const outcomes = new Map<PartitionId, 'committed' | 'aborted'>();
  for (const [partition, { epoch }] of from) {
    const position = found.get(partition);
    const landed = position?.txId === txId;
    if (!landed && position !== undefined && position.epoch > epoch) {
      const problem = `from epoch ${epoch.toString()} to ${position.epoch.toString()} by transaction ${String(position.txId)}`;
      const message = `partition ${partition} moved under this claim ${problem}, which is not ${txId.toString()}`;
      throw new EosError('EOS_CONFORMANCE', message, { details: { partition } });
    }
    outcomes.set(partition, landed ? 'committed' : 'aborted');
  }
  if (atomic === 'transaction' && new Set(outcomes.values()).size > 1) {
    const list = [...outcomes].map(([partition, outcome]) => `${partition} ${outcome}`).join(', ');
    throw new EosError(
      'EOS_CONFORMANCE',
      `only some partitions of an atomic transaction were committed: ${list}`,
    );
  }
  return outcomes;
}
