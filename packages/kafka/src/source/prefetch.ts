/**
 * Fetches ahead of a reader. For each broker there are two loops, each with one request under way: one for partitions that have more to
 * fetch, which never waits, and one for those that were read to their end, which waits for what comes. A partition of which enough was
 * fetched is left out until the reader has taken it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { isEosError } from '@eos/core';
import { isClientError, isPassing } from '../client/client-error.js';
import type { Cluster } from '../client/cluster.js';
import { partitionError } from '../client/cluster.js';
import { groupBy } from '../client/group-by.js';
import { errorName } from '../client/wire/error-codes.js';
import { fetchApi, type FetchedPartition } from '../client/wire/fetch.js';
import { Change } from './change.js';
import { Chunk } from './chunk.js';
import type { PartitionCursor } from './partition-cursor.js';
import { sourceFailure } from './source-errors.js';
import { changed } from './topic-identity.js';
import { judgeOutOfRange } from './out-of-range.js';

export interface PrefetchOptions {
  /** No more is asked for while so many bytes wait to be read. */
  readonly prefetchBytes: number;
  /** The most that one request asks for; a record batch that is larger comes whole. */
  readonly fetchBytes: number;
  /** The most of one partition in a request, and of what waits of it. */
  readonly partitionBytes: number;
  /** How long a broker waits for something to come. */
  readonly maxWaitMs: number;
}

/** What was fetched of one partition. */
export interface Fetched {
  readonly cursor: PartitionCursor;
  readonly chunk: Chunk;
  readonly bytes: number;
}

type LoopKind = 'behind' | 'caught up';

const PAUSE_MS = 50;

export class Prefetch {
  readonly #queue: Fetched[] = [];
  #waitingBytes = 0;
  #served = 0;
  readonly #loops = new Set<string>();
  readonly #change = new Change();
  #failure: unknown;
  #hasFailed = false;
  #isClosed = false;
  /** Since when nothing came but failures that may pass. */
  #failingSince: number | undefined;

  constructor(
    private readonly cluster: Cluster,
    private readonly cursors: readonly PartitionCursor[],
    private readonly options: PrefetchOptions,
  ) {
    void this.#locate();
  }

  /** The oldest that was fetched; undefined where all partitions were read to their end. @throws why fetching ended */
  async take(): Promise<Fetched | undefined> {
    for (;;) {
      if (this.#hasFailed) throw this.#failure;
      const fetched = this.#queue.shift();
      if (fetched !== undefined) return fetched;
      if (this.#isClosed || this.cursors.every((cursor) => cursor.isDone)) return undefined;
      await this.#change.next();
    }
  }

  /** What was taken is read: there is room for more. */
  release({ cursor, bytes }: Fetched): void {
    cursor.queuedBytes -= bytes;
    this.#waitingBytes -= bytes;
    this.#change.tell();
  }

  close(): void {
    this.#isClosed = true;
    this.#queue.length = 0;
    this.#change.tell();
  }

  /** Finds who leads the partitions, again wherever that changes. */
  async #locate(): Promise<void> {
    while (!this.#isOver()) {
      const lost = this.cursors.filter(({ node, isDone }) => node === -1 && !isDone);
      if (lost.length === 0) {
        await this.#change.next();
        continue;
      }
      try {
        for (const cursor of lost) {
          cursor.node = await this.cluster.leader(cursor.place.topic, cursor.partition);
          this.#startLoops(cursor.node);
        }
        this.#change.tell();
      } catch (error) {
        this.#failed(error);
        await delay(PAUSE_MS);
      }
    }
  }

  #startLoops(node: number): void {
    for (const kind of ['behind', 'caught up'] as const) {
      if (this.#loops.has(`${node} ${kind}`)) continue;
      this.#loops.add(`${node} ${kind}`);
      void this.#loop(node, kind);
    }
  }

  async #loop(node: number, kind: LoopKind): Promise<void> {
    while (!this.#isOver()) {
      const wanted = this.#wanted(node, kind);
      if (wanted.length === 0) {
        await this.#change.next();
        continue;
      }
      for (const cursor of wanted) cursor.isAsked = true;
      try {
        const hasCome = await this.#fetch(node, kind, wanted);
        // A batch that is too large to come beside others comes when its partition is first; see `served`.
        if (!hasCome && kind === 'behind') await delay(1);
      } catch (error) {
        for (const cursor of wanted) this.#forget(cursor);
        this.#failed(error);
        await delay(PAUSE_MS);
      } finally {
        for (const cursor of wanted) cursor.isAsked = false;
        this.#change.tell();
      }
    }
  }

  #wanted(node: number, kind: LoopKind): readonly PartitionCursor[] {
    const { prefetchBytes, partitionBytes } = this.options;
    if (this.#waitingBytes >= prefetchBytes) return [];
    return this.cursors
      .filter(
        (cursor) =>
          cursor.node === node &&
          cursor.isCaughtUp === (kind === 'caught up') &&
          !cursor.isAsked &&
          !cursor.isDone &&
          cursor.queuedBytes < partitionBytes,
      )
      .sort((left, right) => left.served - right.served);
  }

  async #fetch(node: number, kind: LoopKind, wanted: readonly PartitionCursor[]): Promise<boolean> {
    const { prefetchBytes, fetchBytes, partitionBytes, maxWaitMs } = this.options;
    const topics = groupBy(wanted, ({ place }) => place.topicId);
    const target = { node, lane: kind === 'behind' ? 'fetch' : 'fetch, waiting' };
    const { error, partitions } = await this.cluster.request(target, fetchApi, {
      maxWaitMs: kind === 'behind' ? 0 : maxWaitMs,
      minBytes: 1,
      maxBytes: Math.min(fetchBytes, Math.max(partitionBytes, prefetchBytes - this.#waitingBytes)),
      isolation: 'committed',
      topics: [...topics].map(([topicId, cursors]) => ({
        topicId,
        partitions: cursors.map(({ partition, next, leaderEpoch }) => ({
          partition,
          offset: next,
          lastEpoch: leaderEpoch,
          maxBytes: partitionBytes,
        })),
      })),
    });
    const name = errorName(error);
    const [first] = wanted;
    if (name !== undefined && first !== undefined)
      throw partitionError(name, first.place.topic, first.partition);
    if (this.#isOver()) return true;
    const byName = new Map(wanted.map((cursor) => [`${cursor.place.topicId} ${cursor.partition}`, cursor]));
    let hasCome = false;
    for (const fetched of partitions) {
      const cursor = byName.get(`${fetched.topicId} ${fetched.partition}`);
      if (cursor !== undefined && (await this.#accept(cursor, fetched))) hasCome = true;
    }
    return hasCome;
  }

  /** Whether something came. */
  async #accept(cursor: PartitionCursor, fetched: FetchedPartition): Promise<boolean> {
    const { diverging, records, aborted, lastStableOffset } = fetched;
    const error = errorName(fetched.error);
    if (error !== undefined) {
      await this.#judge(cursor, error);
      return false;
    }
    if (diverging !== undefined) {
      const problem =
        `the log was cut back to offset ${diverging.endOffset.toString()} (epoch ${diverging.epoch}) after records up to ` +
        `${cursor.next.toString()} were read of epoch ${cursor.leaderEpoch}: a broker that lacked them became the leader`;
      throw changed(cursor.name, problem, { offset: cursor.next, end: diverging.endOffset });
    }
    this.#failingSince = undefined;
    const chunk = new Chunk(cursor.next, records, aborted);
    if (!chunk.isEmpty) {
      const bytes = records.length;
      this.#queue.push({ cursor, chunk, bytes });
      cursor.queuedBytes += bytes;
      this.#waitingBytes += bytes;
      cursor.served = ++this.#served;
      if (chunk.end > cursor.next) cursor.next = chunk.end;
      cursor.leaderEpoch = chunk.lastEpoch;
    }
    cursor.isCaughtUp = cursor.next >= lastStableOffset;
    return !chunk.isEmpty;
  }

  async #judge(cursor: PartitionCursor, error: string): Promise<void> {
    const { topic } = cursor.place;
    if (error === 'OFFSET_OUT_OF_RANGE') {
      await judgeOutOfRange(this.cluster, cursor);
      this.#failed(partitionError('OFFSET_NOT_AVAILABLE', topic, cursor.partition));
    } else if (error === 'UNKNOWN_TOPIC_ID' || error === 'INCONSISTENT_TOPIC_ID') {
      const [found] = await this.cluster.topics([topic], true);
      // A broker that has just started may not have heard of the topic yet.
      if (found?.error === 0 && found.id !== cursor.place.topicId) {
        throw changed(cursor.name, `topic ${topic} was deleted and made again while it was read`);
      }
      this.#failed(partitionError('UNKNOWN_TOPIC_OR_PARTITION', topic, cursor.partition));
    } else {
      this.#failed(partitionError(error, topic, cursor.partition));
    }
    this.#forget(cursor);
  }

  #forget(cursor: PartitionCursor): void {
    cursor.node = -1;
    this.cluster.forgetTopic(cursor.place.topic);
  }

  /** What may pass is tried again for as long as a request may take; anything else ends the reading. */
  #failed(error: unknown): void {
    this.#failingSince ??= performance.now();
    const isOverdue = performance.now() - this.#failingSince > this.cluster.timeoutMs;
    const mayPass =
      !isEosError(error) && isClientError(error) && (error.kind === 'unavailable' || isComing(error.error));
    if ((mayPass && !isOverdue) || this.#isOver()) return;
    this.#failure = sourceFailure(error);
    this.#hasFailed = true;
    this.#change.tell();
  }

  #isOver(): boolean {
    return this.#isClosed || this.#hasFailed;
  }
}

/** A topic that is there is unknown to a broker for a moment after its start. */
function isComing(error: string | undefined): boolean {
  return error !== undefined && (isPassing(error) || error === 'UNKNOWN_TOPIC_OR_PARTITION');
}
