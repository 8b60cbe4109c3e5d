/** The topic that holds the positions: how it is made, what it must be like, and how it is read. */
import { EosError, type PartitionId, type Positions, type SinkContext } from '@eos/core';
import { setTimeout as delay } from 'node:timers/promises';
import { isClientError } from '../client/client-error.js';
import type { KafkaClient } from '../client/client.js';
import { groupBy } from '../client/group-by.js';
import { murmur2 } from '../encoding/partitioner.js';
import { PositionLog, type Undecided } from './position-log.js';
import { Waiting } from './waiting.js';
import {
  LAYOUT_KEY,
  parseLayout,
  parsePositionValue,
  positionKey,
  positionKeyPrefix,
  type StoredPosition,
} from './position-record.js';

/** How long a commit that is decided may take to be written to the topic. */
const DECIDED_MS = 30_000;
/** A transaction that its coordinator calls complete, and whose marker does not show for so long, has none. */
const HANGING_MS = 2_000;
const POLL_MS = 3;

/** A positions topic that is there. */
export class PositionsTopic {
  constructor(
    private readonly client: KafkaClient,
    readonly name: string,
    readonly partitions: number,
  ) {}

  /** Where the records of a key lie: as Kafka's own clients choose it. */
  partitionOf(key: string): number {
    return (murmur2(Buffer.from(key)) & 0x7fffffff) % this.partitions;
  }

  /** Positions of these partitions of a sink; of all without `partitions`. Reads only. */
  async read(
    context: SinkContext,
    partitions?: readonly PartitionId[],
  ): Promise<ReadonlyMap<PartitionId, StoredPosition>> {
    return await this.reader(context, partitions).read();
  }

  /** A reader that goes on where it has read to. Without `partitions`: of all there are. */
  reader(context: SinkContext, partitions?: readonly PartitionId[]): PositionsReader {
    return new PositionsReader(this.client, this, context, partitions);
  }

  /** Every record there is: for setting up the topic. */
  async readAll(): Promise<readonly PositionLog[]> {
    const logs = range(this.partitions).map((partition) => this.log(partition, () => true));
    await this.readToEnd(logs);
    return logs;
  }

  /** Reads on, until what was written to all partitions when the topic was set up shows in all of them, or in none. */
  async readToEnd(logs: readonly PositionLog[]): Promise<void> {
    const deadline = performance.now() + DECIDED_MS;
    for (;;) {
      await Promise.all(logs.map((log) => log.readToEnd()));
      const without = logs.filter(({ found }) => !found.has(LAYOUT_KEY));
      const isTorn =
        without.length < logs.length && without.some((log) => log.undecidedKeys().has(LAYOUT_KEY));
      if (!isTorn || performance.now() > deadline) return;
      await delay(POLL_MS);
    }
  }

  /** @throws EOS_TARGET_CHANGED where only some of the partitions know how many there are, or another number */
  hasLayout(logs: readonly PositionLog[]): boolean {
    const layouts = logs.map(({ found }) => found.get(LAYOUT_KEY));
    if (layouts.every((layout) => layout === undefined)) return false;
    for (const layout of layouts) this.#checkLayout(layout);
    return true;
  }

  #checkLayout(layout: string | undefined): void {
    const { name, partitions } = this;
    const expected = layout === undefined ? undefined : parseLayout(layout).partitions;
    if (expected === partitions) return;
    const had =
      expected === undefined ? 'part of it was emptied or added since it was set up' : `it had ${expected}`;
    const message =
      `topic ${name} has ${partitions} partitions, and ${had}: positions would be looked for where they are not. ` +
      `Partitions cannot be taken away: use another positionsTopic, and start over under another pipeline id or sink name`;
    throw new EosError('EOS_TARGET_CHANGED', message, {
      details: { topic: name, expected, found: partitions },
    });
  }

  log(partition: number, isWanted: (key: string) => boolean): PositionLog {
    return new PositionLog({ client: this.client, topic: this.name, partition, isWanted });
  }
}

export class PositionsReader {
  readonly #logs: ReadonlyMap<number, PositionLog>;

  constructor(
    private readonly client: Pick<KafkaClient, 'admin'>,
    private readonly topic: PositionsTopic,
    private readonly context: SinkContext,
    partitions: readonly PartitionId[] | undefined,
  ) {
    const keys = partitions?.map((partition) => positionKey(context, partition));
    const wanted = new Set(keys);
    const prefix = positionKeyPrefix(context);
    const isWanted = (key: string) =>
      key === LAYOUT_KEY || (keys === undefined ? key.startsWith(prefix) : wanted.has(key));
    const read =
      keys === undefined
        ? range(topic.partitions)
        : [...groupBy(keys, (key) => topic.partitionOf(key)).keys()];
    this.#logs = new Map(read.map((partition) => [partition, topic.log(partition, isWanted)]));
  }

  /**
   * Reads on to the end. What a coordinator has decided counts, also where the topic does not show it.
   * @throws EOS_TARGET_CHANGED, EOS_FORMAT; EOS_UNAVAILABLE, retryable, where a transaction stays half ended: absence proves nothing (law 3)
   */
  async read(): Promise<ReadonlyMap<PartitionId, StoredPosition>> {
    const waiting = new Waiting();
    await this.#readToEnd();
    for (let undecided = this.#undecided(); undecided.size > 0; undecided = this.#undecided()) {
      const decided = await this.#decisionsOn(undecided);
      await this.#readToEnd();
      // Read again after asking: the transaction that goes on may be the one behind it.
      const left = this.#undecided();
      const isSame = [...undecided].every(
        ([key, { producerId }]) => left.get(key)?.producerId === producerId,
      );
      if (decided.size === 0 && isSame) break;
      for (const [key, { producerId, milliseconds }] of waiting.of(undecided, left))
        this.#endHanging(producerId, decided.get(key), milliseconds);
      if (decided.size > 0) await delay(POLL_MS);
    }
    return this.#positions();
  }

  /**
   * The same behind the barrier, where every transaction that began before has an outcome: one that does not show is waited for.
   * @throws EOS_TARGET_CHANGED, EOS_FORMAT; EOS_UNAVAILABLE, retryable, where it never shows
   */
  async readBehindBarrier(): Promise<ReadonlyMap<PartitionId, StoredPosition>> {
    const waiting = new Waiting();
    let positions = await this.read();
    const before = this.#undecided();
    for (;;) {
      const waited = [...waiting.of(before, this.#undecided()).values()];
      if (waited.length === 0) return positions;
      if (waited.some(({ milliseconds }) => milliseconds > DECIDED_MS)) throw this.#unwrittenError();
      await delay(POLL_MS);
      positions = await this.read();
    }
  }

  /**
   * A broker that is started again may call a transaction complete whose markers it has not written to every partition (seen with 4.3.1, killed
   * between the two). What then hangs in a partition is ended by the next marker of the same producer there.
   */
  #endHanging(producerId: bigint, decision: Decision | undefined, milliseconds: number): void {
    if (decision === undefined) return;
    if (decision.isComplete && milliseconds > HANGING_MS)
      for (const log of this.#logs.values()) log.end(producerId, decision.outcome);
    else if (milliseconds > DECIDED_MS) throw this.#unwrittenError();
  }

  #unwrittenError(): EosError {
    const message = `topic ${this.topic.name} has not shown for ${DECIDED_MS / 1000} s how a transaction ended: look at the brokers`;
    return new EosError('EOS_UNAVAILABLE', message, { retryable: true, details: { topic: this.topic.name } });
  }

  /**
   * Whether the topic was set up, by the partitions that were read.
   * @throws EOS_TARGET_CHANGED where only some of them say so, or another number of partitions
   */
  get hasLayout(): boolean {
    return this.topic.hasLayout([...this.#logs.values()]);
  }

  async #readToEnd(): Promise<void> {
    await this.topic.readToEnd([...this.#logs.values()]);
  }

  #undecided(): ReadonlyMap<string, Undecided> {
    const keys = new Map([...this.#logs.values()].flatMap((log) => [...log.undecidedKeys()]));
    keys.delete(LAYOUT_KEY);
    return keys;
  }

  /** What their coordinators have decided on transactions whose records have no outcome yet. */
  async #decisionsOn(undecided: ReadonlyMap<string, Undecided>): Promise<ReadonlyMap<string, Decision>> {
    const states = await this.client.admin.transactions([...undecided.keys()]).catch((error: unknown) => {
      // Whoever may not ask sees what the log shows.
      if (isClientError(error, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED')) return NOTHING;
      throw error;
    });
    const decisions = new Map<string, Decision>();
    for (const [key, { producerId }] of undecided) {
      const found = states.get(key);
      const decision = found?.producerId === producerId ? DECISIONS.get(found.state) : undefined;
      if (decision !== undefined) decisions.set(key, decision);
    }
    return decisions;
  }

  #positions(): ReadonlyMap<PartitionId, StoredPosition> {
    const prefix = positionKeyPrefix(this.context);
    const positions = new Map<PartitionId, StoredPosition>();
    for (const { found } of this.#logs.values())
      for (const [key, value] of found)
        if (key !== LAYOUT_KEY) positions.set(key.slice(prefix.length), parsePositionValue(value, key));
    return positions;
  }
}

interface Decision {
  readonly outcome: 'commit' | 'abort';
  /** Whether its markers are written, as the coordinator says. */
  readonly isComplete: boolean;
}

/** By the state of a transaction. */
const DECISIONS: ReadonlyMap<string, Decision> = new Map([
  ['PrepareCommit', { outcome: 'commit', isComplete: false }],
  ['CompleteCommit', { outcome: 'commit', isComplete: true }],
  ['PrepareAbort', { outcome: 'abort', isComplete: false }],
  ['CompleteAbort', { outcome: 'abort', isComplete: true }],
]);

const NOTHING: Awaited<ReturnType<KafkaClient['admin']['transactions']>> = new Map();

/** The records without what a reader knows besides. */
export function positionsOf(stored: ReadonlyMap<PartitionId, StoredPosition>): Positions {
  return new Map([...stored].map(([partition, { position }]) => [partition, position]));
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
