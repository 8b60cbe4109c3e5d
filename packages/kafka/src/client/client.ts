/**
 * The client port: what sink and source need of a Kafka client. It takes and gives whole batches as columns of bytes; what becomes of a
 * transaction is told by the kind of the error that is thrown ({@link KafkaClientError}).
 */
import type { Cluster } from './cluster.js';
import type { LogBatch, RecordColumns } from './records.js';
import type { WrittenCodec } from './wire/compression.js';

export interface KafkaClient {
  /** Which driver holds the connections: `kafkajs` or `@platformatic/kafka`. */
  readonly driver: string;
  /** Metadata, coordinators, and any request of the protocol: for what is not in this port. */
  readonly cluster: Cluster;
  readonly admin: KafkaAdmin;
  readonly log: LogReader;
  /**
   * Takes over a transactional id: ends whatever transaction an earlier producer of that id has open, and fences that producer. When
   * it resolves, the earlier transaction is decided, and its outcome is written in every partition that it touched.
   */
  initProducer(options: ProducerOptions): Promise<TransactionalProducer>;
  /** Ends the connections. Never throws. */
  close(): Promise<void>;
}

export interface ProducerOptions {
  readonly transactionalId: string;
  /** The broker aborts a transaction that is open for longer, in milliseconds. */
  readonly transactionTimeoutMs: number;
  /** How long all tries of one request may take together, in milliseconds. */
  readonly timeoutMs: number;
  /** How records are compressed. Default: not. */
  readonly compression?: WrittenCodec | undefined;
}

/**
 * One producer with one transaction at a time. After any error it is good for nothing but `close`: a request that was given up may
 * still arrive, and could end a later transaction of the same producer.
 */
export interface TransactionalProducer {
  readonly transactionalId: string;
  readonly producerId: bigint;
  readonly epoch: number;
  /** False once a call has failed. */
  readonly isUsable: boolean;
  /**
   * Adds records to the open transaction, which begins with the first. `partitions` holds the partition of each record, or one for all.
   * Records are copied before the call returns. Resolves when more can be taken: at most `maxBufferedBytes` wait to be sent.
   */
  send(topic: string, partitions: Int32Array | number, records: RecordColumns): Promise<void>;
  /**
   * Names a partition that every transaction of this producer ends by writing to: its coordinator is then told of it together with the
   * first, which saves a request for each transaction.
   */
  expect(topic: string, partition: number): void;
  /** Resolves when all records are in the log, undecided. */
  flush(): Promise<void>;
  /** Adds offsets of a consumer group to the transaction, for tools that show its lag. */
  sendOffsets(offsets: GroupOffsets): Promise<void>;
  /** Flushes and commits. Does nothing where nothing was sent. On return the outcome is decided; plain readers may see it some milliseconds later. */
  commit(): Promise<void>;
  /** Aborts the open transaction, where there is one. */
  abort(): Promise<void>;
  /** Gives up whatever is under way. The broker aborts what is open when the id is taken over, or after the transaction timeout. Never throws. */
  close(): void;
}

export interface GroupOffsets {
  readonly groupId: string;
  readonly offsets: readonly GroupOffset[];
  /** The member on whose behalf they are committed; the coordinator then refuses them from a member that was replaced. */
  readonly member?: { readonly memberId: string; readonly generation: number; readonly instanceId?: string };
}

export interface GroupOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly metadata?: string;
}

export interface KafkaAdmin {
  /** Topics by name; one that is not there is left out. */
  topics(names: readonly string[]): Promise<ReadonlyMap<string, TopicDescription>>;
  /**
   * Makes a topic, unless it is there, in whatever form. Resolves when all its partitions have leaders.
   * @throws {KafkaClientError} whatever the broker says
   */
  createTopic(topic: NewTopic): Promise<void>;
  /** Every setting of a topic as it takes effect, by name. */
  topicConfig(topic: string): Promise<ReadonlyMap<string, string>>;
  /** First offset that is still there, by partition of the topic. */
  earliestOffsets(topic: string): Promise<ReadonlyMap<number, bigint>>;
  /** End of what is replicated, whatever became of its transactions, by partition of the topic. */
  highWatermarks(topic: string): Promise<ReadonlyMap<number, bigint>>;
  /** Transactions by their ids; an id that the broker never heard of is left out. */
  transactions(ids: readonly string[]): Promise<ReadonlyMap<string, TransactionDescription>>;
  /** Ids of the transactions that are open or being ended, or those of some producers, over all brokers. */
  openTransactions(producerIds?: readonly bigint[]): Promise<readonly ListedTransaction[]>;
}

export interface TopicDescription {
  /** 22 characters: another one once the topic was deleted and made again. */
  readonly id: string;
  readonly partitions: number;
}

export interface NewTopic {
  readonly name: string;
  readonly partitions: number;
  /** -1: the broker's default. */
  readonly replicationFactor: number;
  readonly config: Readonly<Record<string, string>>;
}

export interface ListedTransaction {
  readonly transactionalId: string;
  readonly producerId: bigint;
  /** As the coordinator calls it: `Ongoing`, `PrepareCommit`, `PrepareAbort`, `CompleteCommit`, … */
  readonly state: string;
}

export interface TransactionDescription extends ListedTransaction {
  readonly producerEpoch: number;
  readonly timeoutMs: number;
  /** When it was begun, in milliseconds since 1970; -1: none is open. */
  readonly startedAt: number;
  readonly partitions: readonly { readonly topic: string; readonly partitions: readonly number[] }[];
}

/** Reads the log of one partition as it is: undecided and aborted records, and the control records that tell. */
export interface LogReader {
  /**
   * The batches from the one that holds `offset` on. Waits up to `maxWaitMs` where there is nothing yet.
   * @throws {KafkaClientError} OFFSET_OUT_OF_RANGE
   */
  fetch(request: LogRequest): Promise<FetchedLog>;
}

export interface LogRequest {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  /** About how many bytes of the log to get. Default 4 MiB; the first batch comes whole, however large. */
  readonly maxBytes?: number;
  /** Default 0. */
  readonly maxWaitMs?: number;
}

export interface FetchedLog {
  readonly highWatermark: bigint;
  /** Up to here every transaction is decided. */
  readonly lastStableOffset: bigint;
  readonly logStartOffset: bigint;
  /** In order, without what lies before the offset that was asked for only in parts: the first batch may begin before it. */
  readonly batches: readonly LogBatch[];
  /** Where to go on: behind the last batch that came whole; the offset that was asked for where none did. */
  readonly nextOffset: bigint;
}
