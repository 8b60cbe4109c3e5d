/** The topic that holds the positions: how it is made, what it must be like, and how it is read. */
import { EosError, type PartitionId, type Positions, type SinkContext } from '@eos/core';
import { setTimeout as delay } from 'node:timers/promises';
import { isClientError } from '../client/client-error.js';
import type { KafkaClient } from '../client/client.js';
import { groupBy } from '../client/group-by.js';
import { murmur2 } from '../encoding/partitioner.js';
import { PositionLog } from './position-log.js';
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
   * Reads on to the end. A commit that its coordinator has decided counts, also where the topic does not show it yet.
   * @throws EOS_TARGET_CHANGED, EOS_FORMAT; EOS_UNAVAILABLE, retryable, where it never does: absence proves nothing (law 3)
   */
  async read(): Promise<ReadonlyMap<PartitionId, StoredPosition>> {
    const deadline = performance.now() + DECIDED_MS;
    await this.#readToEnd();
    for (let undecided = this.#undecided(); undecided.size > 0;) {
      const isDecided = await this.#hasDecided(undecided);
      if (isDecided && performance.now() > deadline) throw this.#unwrittenError();
      await this.#readToEnd();
      // Read again after asking: the transaction that goes on may be the one behind it.
      const left = this.#undecided();
      if (!isDecided && [...undecided].every(([key, producerId]) => left.get(key) === producerId)) break;
      undecided = left;
      if (isDecided) await delay(POLL_MS);
    }
    return this.#positions();
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

  #undecided(): ReadonlyMap<string, bigint> {
    const keys = new Map([...this.#logs.values()].flatMap((log) => [...log.undecidedKeys()]));
    keys.delete(LAYOUT_KEY);
    return keys;
  }

  #unwrittenError(): EosError {
    const message = `topic ${this.topic.name} does not show a commit that its coordinator decided ${DECIDED_MS / 1000} s ago: look at the brokers`;
    return new EosError('EOS_UNAVAILABLE', message, { retryable: true, details: { topic: this.topic.name } });
  }

  /** Whether a transaction whose records have no outcome yet has one at its coordinator. */
  async #hasDecided(undecided: ReadonlyMap<string, bigint>): Promise<boolean> {
    const states = await this.client.admin.transactions([...undecided.keys()]).catch((error: unknown) => {
      // Whoever may not ask sees what the log shows.
      if (isClientError(error, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED')) return NOTHING;
      throw error;
    });
    return [...undecided].some(([key, producerId]) => {
      const found = states.get(key);
      const isCommitted = found?.state === 'PrepareCommit' || found?.state === 'CompleteCommit';
      return found?.producerId === producerId && isCommitted;
    });
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

const NOTHING: Awaited<ReturnType<KafkaClient['admin']['transactions']>> = new Map();

/** The records without what a reader knows besides. */
export function positionsOf(stored: ReadonlyMap<PartitionId, StoredPosition>): Positions {
  return new Map([...stored].map(([partition, { position }]) => [partition, position]));
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
