/** What a process reads: what its consumer group gives it, or everything. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Assignment, Positions, SourceContext } from '@eos/core';
import { openClient } from '../client/connect.js';
import type { Cluster } from '../client/cluster.js';
import { GroupMember } from '../group/group-member.js';
import { kafkaReader } from './kafka-reader.js';
import { openPartitions, type PartitionPlace, type StartOptions } from './open-partitions.js';
import { SkipCounter } from './poison.js';
import { sourceFailure } from './source-errors.js';
import type { SourceSettings } from './source-options.js';
import { TopicWatch } from './topic-watch.js';

/** Joins, and gives one assignment after the other until reading ends or `context.signal` is aborted; then leaves. */
export async function* assignments<Row>(
  settings: SourceSettings<Row>,
  context: SourceContext,
): AsyncGenerator<Assignment<Row>, void> {
  const client = await openClient(settings.connection, settings.timeoutMs);
  const reading = new Reading(client.cluster, settings, context);
  try {
    yield* settings.groupId === false
      ? reading.alone()
      : reading.inGroup(settings.groupId ?? context.pipeline);
  } catch (error) {
    if (context.signal.aborted) return;
    throw sourceFailure(error);
  } finally {
    await reading.end();
    await client.close();
  }
}

class Reading<Row> {
  readonly #topics: TopicWatch;
  readonly #skipped: SkipCounter;
  /** Where each partition ends, of a source that does; found when the partition is first seen. */
  readonly #ends = new Map<string, bigint>();
  /** Up to where this process has read each partition. */
  readonly #read = new Map<string, Set<bigint>>();
  readonly #over = new AbortController();
  #member: GroupMember | undefined;

  constructor(
    private readonly cluster: Cluster,
    private readonly settings: SourceSettings<Row>,
    private readonly context: SourceContext,
  ) {
    this.#topics = new TopicWatch(cluster, settings.topics);
    this.#skipped = new SkipCounter(context.pipeline, settings.maxUnreadable);
  }

  /** All partitions, again when some were added. */
  async *alone(): AsyncGenerator<Assignment<Row>, void> {
    const { isBounded, metadataIntervalMs } = this.settings;
    while (!this.context.signal.aborted) {
      const counts = await this.#topics.count();
      const grown = new AbortController();
      const watching = AbortSignal.any([this.#over.signal, grown.signal]);
      if (!isBounded) void this.#topics.watch(counts, metadataIntervalMs, watching, () => grown.abort());
      yield this.#assignment(await this.#topics.places(), grown.signal);
      if (!grown.signal.aborted) return;
    }
  }

  async *inGroup(groupId: string): AsyncGenerator<Assignment<Row>, void> {
    const { topics, sessionTimeoutMs, rebalanceTimeoutMs, heartbeatIntervalMs, metadataIntervalMs } =
      this.settings;
    const options = { groupId, topics, sessionTimeoutMs, rebalanceTimeoutMs, heartbeatIntervalMs };
    const member = new GroupMember(this.cluster, options, () => this.#topics.count());
    this.#member = member;
    const { signal } = this.context;
    while (!signal.aborted) {
      const counts = await this.#topics.count();
      const { partitions, lost, isLeader } = await member.join(signal);
      const watching = AbortSignal.any([this.#over.signal, lost]);
      if (isLeader) void this.#topics.watch(counts, metadataIntervalMs, watching, () => member.release());
      const places = await this.#topics.places(partitions);
      if (places.length === 0) {
        // Members beyond the number of partitions wait for their turn.
        if (this.settings.isBounded) return;
        await untilAborted(AbortSignal.any([signal, lost]));
        continue;
      }
      const rejoin = { isAsked: false };
      yield this.#assignment(places, lost, () => {
        rejoin.isAsked = true;
      });
      if (!lost.aborted && !rejoin.isAsked) return;
    }
  }

  async end(): Promise<void> {
    this.#over.abort();
    await this.#member?.leave();
  }

  #assignment(places: readonly PartitionPlace[], revoked: AbortSignal, rejoin?: () => void): Assignment<Row> {
    return {
      partitions: places.map(({ name }) => name),
      revoked,
      ...(rejoin === undefined ? {} : { rejoin }),
      open: (positions) => this.#open(places, positions),
    };
  }

  async #open(places: readonly PartitionPlace[], positions: Positions) {
    try {
      const partitions = await openPartitions(this.cluster, places, positions, this.#startOptions());
      return kafkaReader(this.cluster, partitions, {
        ...this.settings,
        skipped: this.#skipped,
        onRead: (partition, next) => this.#vouch(partition, next),
      });
    } catch (error) {
      throw sourceFailure(error);
    }
  }

  #startOptions(): StartOptions {
    return {
      from: this.settings.from,
      isOld: (partition) => this.#topics.wasThere(partition),
      endOf: (name, latest) => this.#endOf(name, latest),
      isVouchedFor: (name, offset) => this.#read.get(name)?.has(offset) === true,
    };
  }

  #endOf(name: string, latest: bigint): bigint | undefined {
    if (!this.settings.isBounded) return undefined;
    const end = this.#ends.get(name) ?? latest;
    this.#ends.set(name, end);
    return end;
  }

  /** The last few suffice: what is stored is one of the last that were handed out. */
  #vouch(partition: string, next: bigint): void {
    const ends = this.#read.get(partition) ?? new Set();
    ends.add(next);
    if (ends.size > VOUCHED)
      for (const oldest of ends) {
        ends.delete(oldest);
        break;
      }
    this.#read.set(partition, ends);
  }
}

const VOUCHED = 16;

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  // A timer that keeps the process alive, as a wait for the network would.
  await delay(2 ** 31 - 1, undefined, { signal }).catch(() => undefined);
}
