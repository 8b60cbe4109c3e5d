import type { ReadLimit, SourceBatch, SourceReader } from '@eos/core';
import type { ReadableFormat } from '../encoding/format.js';
import type { Cluster } from '../client/cluster.js';
import type { OpenPartition } from './open-partitions.js';
import { PartitionReader } from './partition-reader.js';
import { Prefetch, type Fetched, type PrefetchOptions } from './prefetch.js';
import type { SkipCounter, UnreadableRecords } from './poison.js';
import { sourceFailure } from './source-errors.js';
import { decoderOf } from './source-options.js';

export interface ReaderOptions<Row> extends PrefetchOptions {
  readonly format: ReadableFormat<Row>;
  readonly unreadable: UnreadableRecords;
  readonly skipped: SkipCounter;
  /** Reads a batch's position before it is handed out: what this process has vouched for need not be judged again. */
  readonly onRead: (partition: string, next: bigint) => void;
}

/** Reads partitions in the order in which their records came, each fetch to its end, so that a transaction touches few of them. */
export function kafkaReader<Row>(
  cluster: Cluster,
  partitions: readonly OpenPartition[],
  options: ReaderOptions<Row>,
): SourceReader<Row> {
  return new KafkaReader(cluster, partitions, options);
}

class KafkaReader<Row> implements SourceReader<Row> {
  readonly #prefetch: Prefetch;
  readonly #readers: ReadonlyMap<string, PartitionReader<Row>>;
  readonly #starts: OpenPartition[];
  #fetched: Fetched | undefined;

  constructor(
    cluster: Cluster,
    partitions: readonly OpenPartition[],
    private readonly options: ReaderOptions<Row>,
  ) {
    const { format, unreadable, skipped } = options;
    this.#readers = new Map(
      partitions.map(({ cursor, mark }) => {
        const { place, partition, name, end } = cursor;
        const decoder = decoderOf(format, { topic: place.topic, partition, name });
        const policy = skipped.policy(unreadable, name);
        return [
          name,
          new PartitionReader(place, name, decoder, format.changelog !== 'append', policy, mark, end),
        ];
      }),
    );
    this.#starts = partitions.filter(({ commitsStart }) => commitsStart);
    this.#prefetch = new Prefetch(
      cluster,
      partitions.map(({ cursor }) => cursor),
      options,
    );
  }

  async read({ rows }: ReadLimit): Promise<SourceBatch<Row> | undefined> {
    const start = this.#starts.shift();
    if (start !== undefined) return this.#readers.get(start.cursor.name)?.start(start.start);
    for (;;) {
      this.#fetched ??= await this.#prefetch.take();
      if (this.#fetched === undefined) return undefined;
      const batch = await this.#readFetched(this.#fetched, rows);
      if (batch !== undefined) {
        this.options.onRead(batch.partition, batch.next);
        return batch;
      }
      this.#prefetch.release(this.#fetched);
      this.#fetched = undefined;
    }
  }

  async close(): Promise<void> {
    this.#prefetch.close();
  }

  async #readFetched({ cursor, chunk }: Fetched, rows: number): Promise<SourceBatch<Row> | undefined> {
    try {
      return await this.#readers.get(cursor.name)?.read(chunk, rows);
    } catch (error) {
      throw sourceFailure(error);
    }
  }
}
