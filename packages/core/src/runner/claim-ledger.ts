/**
 * What this process knows of its own claims (law 1): its first claim of a partition takes over from whoever it sees there, every later
 * one replaces its own only, so that nobody steals a newer claim by trying again. Each names what it replaces, the first one too: sent
 * without a condition it could come late, or twice, and bring back an owner that is long gone. Kept by the pipeline from run to run; an entry goes when its assignment ends.
 */
import { EosError, isEosError } from '../errors.js';
import { randomId, type Owner, type PartitionId } from '../identifiers.js';
import type { Position, Positions } from '../positions.js';
import type { EarlierClaim, Sink, SinkSession } from '../sink.js';
import type { Publish } from './events.js';

interface Entry {
  readonly owners: ReadonlySet<Owner>;
  epoch: bigint;
}

/** Each try that fails means that somebody else has claimed since the look before it. */
const FIRST_CLAIM_TRIES = 10;

export class ClaimLedger {
  readonly #entries = new Map<PartitionId, Entry>();

  constructor(private readonly publish: Publish) {}

  /** An assignment ended, or was taken away: the next claim of its partitions is a first one again. */
  forget(partitions: readonly PartitionId[]): void {
    for (const partition of partitions) this.#entries.delete(partition);
  }

  /** Claims `partitions`; a first claim looks again where another came in between. */
  async recover<Row>(sink: Sink<Row>, partitions: readonly PartitionId[]): Promise<SinkSession<Row>> {
    for (let attempt = 1; ; attempt++) {
      const replacing = await this.#toReplace(sink, partitions);
      try {
        return await this.#claim(sink, partitions, replacing);
      } catch (error) {
        const isFirst = partitions.every((partition) => !this.#entries.has(partition));
        if (!isFirst || !isEosError(error, 'EOS_FENCED') || attempt === FIRST_CLAIM_TRIES) throw error;
      }
    }
  }

  /** A commit was acknowledged: what is found later must not lie behind it. */
  advanced(positions: Positions): void {
    for (const [partition, { epoch }] of positions) {
      const entry = this.#entries.get(partition);
      if (entry !== undefined) entry.epoch = epoch;
    }
  }

  /** Remembers the token also where the answer is lost: the next claim may find it, or still what was there before. */
  async #claim<Row>(
    sink: Sink<Row>,
    partitions: readonly PartitionId[],
    replacing: ReadonlyMap<PartitionId, EarlierClaim>,
  ): Promise<SinkSession<Row>> {
    const owner = randomId();
    try {
      const session = await sink.recover(partitions, { owner, replacing });
      this.#claimed(session.positions, owner);
      return session;
    } catch (error) {
      if (isEosError(error) && error.outcome === 'unknown') {
        for (const [partition, { owners, epoch }] of replacing)
          this.#entries.set(partition, { owners: new Set([...owners, owner]), epoch });
      }
      throw error;
    }
  }

  /** Its own claims, and what is there of partitions that it never claimed. */
  async #toReplace<Row>(
    sink: Sink<Row>,
    partitions: readonly PartitionId[],
  ): Promise<ReadonlyMap<PartitionId, EarlierClaim>> {
    const unclaimed = partitions.filter((partition) => !this.#entries.has(partition));
    const there = unclaimed.length === 0 ? NOTHING : await sink.positions(unclaimed);
    return new Map(
      partitions.map((partition) => [partition, this.#entries.get(partition) ?? seen(there.get(partition))]),
    );
  }

  #claimed(positions: Positions, owner: Owner): void {
    for (const [partition, { epoch }] of positions) {
      const expected = this.#entries.get(partition)?.epoch ?? 0n;
      if (epoch < expected) this.publish('eos:regress', () => ({ partition, expected, found: epoch }));
      this.#entries.set(partition, { owners: new Set([owner]), epoch });
    }
  }
}

const NOTHING: Positions = new Map<PartitionId, Position>();

function seen(found: Position | undefined): EarlierClaim {
  return { owners: new Set(found === undefined ? [] : [found.owner]), epoch: found?.epoch ?? 0n };
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
