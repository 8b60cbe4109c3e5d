/** The topics that are read: their ids, and how many partitions they have. */
import { setTimeout as delay } from 'node:timers/promises';
import { partitionError, type Cluster } from '../client/cluster.js';
import { retried } from '../client/retry.js';
import { errorName } from '../client/wire/error-codes.js';
import type { TopicMetadata } from '../client/wire/metadata.js';
import type { PartitionPlace } from './open-partitions.js';

export class TopicWatch {
  #clusterId: string | null = null;
  /** Partitions by topic, as of the first look. */
  #first: ReadonlyMap<string, number> | undefined;

  constructor(
    private readonly cluster: Cluster,
    private readonly topics: readonly string[],
  ) {}

  /**
   * How many partitions each topic has now.
   * @throws {KafkaClientError} where a topic is not there
   */
  async count(): Promise<ReadonlyMap<string, number>> {
    const found = await this.#look();
    return new Map(found.map(({ name, partitions }) => [name, partitions.length]));
  }

  /** The places of some partitions, or of all. */
  async places(wanted?: ReadonlyMap<string, readonly number[]>): Promise<readonly PartitionPlace[]> {
    const found = await this.#look();
    return found.flatMap(({ name: topic, id: topicId, partitions }) => {
      const place = { clusterId: this.#clusterId, topic, topicId };
      const numbers =
        wanted === undefined ? partitions.map(({ partition }) => partition) : (wanted.get(topic) ?? []);
      return [...numbers]
        .sort((left, right) => left - right)
        .map((partition) => ({ place, partition, name: `${topic}/${partition}` }));
    });
  }

  /** Whether a partition was there at the first look. */
  wasThere({ place, partition }: PartitionPlace): boolean {
    return partition < (this.#first?.get(place.topic) ?? 0);
  }

  /** Calls `onChange` once partitions were added. Never throws; ends with `signal`. */
  async watch(
    before: ReadonlyMap<string, number>,
    intervalMs: number,
    signal: AbortSignal,
    onChange: () => void,
  ): Promise<void> {
    for (;;) {
      await delay(intervalMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      const now = await this.count().catch(() => before);
      if ([...now].some(([topic, count]) => count > (before.get(topic) ?? 0))) {
        onChange();
        return;
      }
    }
  }

  async #look(): Promise<readonly TopicMetadata[]> {
    const { cluster, topics } = this;
    const found = await retried({ timeoutMs: cluster.timeoutMs }, async () => {
      const answer = await cluster.topics(topics, true);
      for (const topic of topics) {
        const metadata = answer.find(({ name }) => name === topic);
        const error = metadata === undefined ? 'UNKNOWN_TOPIC_OR_PARTITION' : errorName(metadata.error);
        if (error !== undefined) throw partitionError(error, topic, 0);
      }
      return answer;
    });
    this.#clusterId ??= (await cluster.brokers()).clusterId;
    this.#first ??= new Map(found.map(({ name, partitions }) => [name, partitions.length]));
    return found;
  }
}
