/** The transactional producer: which requests one transaction takes, and what the failure of each of them means. */
import { asClientError, KafkaClientError, kindOf } from './client-error.js';
import type { GroupOffsets, ProducerOptions, TransactionalProducer } from './client.js';
import type { Cluster } from './cluster.js';
import { groupBy } from './group-by.js';
import { ProduceQueue } from './produce-queue.js';
import type { RecordColumns } from './records.js';
import { retried } from './retry.js';
import type { Api } from './wire/api.js';
import { errorName } from './wire/error-codes.js';
import {
  addOffsetsToTxnApi,
  addPartitionsToTxnApi,
  endTxnApi,
  initProducerIdApi,
  txnOffsetCommitApi,
  type ErrorAnswer,
  type PartitionError,
  type ProducerIdentity,
  type TopicPartitions,
} from './wire/transactions.js';

/** @throws {KafkaClientError} `unavailable` where a transaction of the same id could not be ended in time, or `refused` */
export async function initProducer(
  cluster: Cluster,
  options: ProducerOptions,
  lane: string,
): Promise<TransactionalProducer> {
  const { transactionalId, transactionTimeoutMs, timeoutMs, compression } = options;
  const onRetry = (failure: KafkaClientError) => forgetMoved(cluster, transactionalId, failure);
  const { producerId, epoch } = await retried({ timeoutMs, onRetry }, async () => {
    const node = await cluster.coordinator('transaction', transactionalId, { timeoutMs });
    const answer = await cluster.ask({ node, lane }, initProducerIdApi, {
      transactionalId,
      transactionTimeoutMs,
    });
    checkAnswer(answer.error, 'InitProducerId', transactionalId);
    return answer;
  });
  return new Producer(cluster, { transactionalId, producerId, epoch }, lane, { timeoutMs, compression });
}

class Producer implements TransactionalProducer {
  readonly #queue: ProduceQueue;
  private readonly timeoutMs: number;
  #failure: KafkaClientError | undefined;
  #isOpen = false;

  constructor(
    private readonly cluster: Cluster,
    private readonly identity: ProducerIdentity,
    private readonly lane: string,
    { timeoutMs, compression }: Pick<ProducerOptions, 'timeoutMs' | 'compression'>,
  ) {
    this.timeoutMs = timeoutMs;
    const addPartitions = (topics: readonly TopicPartitions[]) => this.#addPartitions(topics);
    this.#queue = new ProduceQueue({ cluster, identity, lane, timeoutMs, compression, addPartitions });
  }

  get transactionalId(): string {
    return this.identity.transactionalId;
  }

  get producerId(): bigint {
    return this.identity.producerId;
  }

  get epoch(): number {
    return this.identity.epoch;
  }

  get isUsable(): boolean {
    return this.#failure === undefined;
  }

  async send(topic: string, partitions: Int32Array | number, records: RecordColumns): Promise<void> {
    await this.#guarded(() => this.#queue.append(topic, partitions, records));
  }

  expect(topic: string, partition: number): void {
    this.#queue.expect(topic, partition);
  }

  async flush(): Promise<void> {
    await this.#guarded(() => this.#queue.flush());
  }

  async sendOffsets({ groupId, offsets, member }: GroupOffsets): Promise<void> {
    await this.#guarded(async () => {
      await this.#ask(addOffsetsToTxnApi, { ...this.identity, groupId });
      this.#isOpen = true;
      const topics = [...groupBy(offsets, ({ topic }) => topic)].map(([topic, partitions]) => ({
        topic,
        partitions: partitions.map((found) => ({ ...found, metadata: found.metadata ?? null })),
      }));
      await this.#commitOffsets(groupId, {
        ...this.identity,
        groupId,
        memberId: member?.memberId ?? '',
        generation: member?.generation ?? -1,
        instanceId: member?.instanceId ?? null,
        topics,
      });
    });
  }

  async commit(): Promise<void> {
    await this.#guarded(async () => {
      await this.#queue.flush();
      if (this.#isOpen) await this.#end(true);
    });
  }

  async abort(): Promise<void> {
    await this.#guarded(async () => {
      await this.#queue.discard();
      if (this.#isOpen) await this.#end(false);
    });
  }

  close(): void {
    this.#fail(new KafkaClientError('the producer is closed', { kind: 'unavailable' }));
  }

  /** Whatever fails makes the producer unusable: what was sent may arrive later. */
  async #guarded(work: () => Promise<void>): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      await work();
    } catch (error) {
      throw this.#fail(asClientError(error));
    }
  }

  #fail(failure: KafkaClientError): KafkaClientError {
    this.#failure ??= failure;
    this.#queue.close(failure);
    return failure;
  }

  async #addPartitions(topics: readonly TopicPartitions[]): Promise<void> {
    await this.#retried(async (node) => {
      const answers = await this.cluster.request({ node, lane: this.lane }, addPartitionsToTxnApi, {
        ...this.identity,
        topics,
      });
      this.#checkPartitions(answers, 'AddPartitionsToTxn');
    });
    this.#isOpen = true;
  }

  /** Of several errors, the one that is not only a consequence of another. */
  #checkPartitions(answers: readonly PartitionError[], request: string): void {
    const failed = answers.filter(({ error }) => error !== 0);
    const first = failed.find(({ error }) => errorName(error) !== 'OPERATION_NOT_ATTEMPTED') ?? failed[0];
    if (first === undefined) return;
    // A topic that was made a moment ago is not known to every broker yet; what is really missing shows in the metadata.
    const { topic, partition } = first;
    checkAnswer(first.error, `${request}, partition ${partition} of topic ${topic}`, this.transactionalId, {
      topic,
      partition,
    });
  }

  async #commitOffsets(
    groupId: string,
    request: Parameters<typeof txnOffsetCommitApi.encode>[1],
  ): Promise<void> {
    const onRetry = () => this.cluster.forgetCoordinator('group', groupId);
    await retried({ timeoutMs: this.timeoutMs, onRetry }, async () => {
      const node = await this.cluster.coordinator('group', groupId, { timeoutMs: this.timeoutMs });
      const answers = await this.cluster.request({ node, lane: this.lane }, txnOffsetCommitApi, request);
      this.#checkPartitions(answers, `TxnOffsetCommit for group ${groupId}`);
    });
  }

  /**
   * Ends the transaction. Sent once, but where the coordinator says that it has not begun to deal with it; any other answer that is no
   * yes and no clear no, and none at all, leaves open what became of a commit.
   */
  async #end(isCommit: boolean): Promise<void> {
    try {
      await this.#retried(async (node) => {
        const { error } = await this.cluster
          .request({ node, lane: this.lane }, endTxnApi, { ...this.identity, isCommit })
          .catch((failure: unknown) => {
            throw isCommit ? unknownOutcome(failure, this.transactionalId) : failure;
          });
        const name = errorName(error);
        const isUndecided = isCommit && name !== undefined && kindOf(name) === 'unavailable';
        if (isUndecided && !NOT_BEGUN.has(name)) throw unknownOutcome(new Error(name), this.transactionalId);
        checkAnswer(error, 'EndTxn', this.transactionalId);
      });
    } finally {
      this.#isOpen = false;
      this.#queue.ended();
    }
  }

  async #ask<Request>(api: Api<Request, ErrorAnswer>, request: Request): Promise<void> {
    await this.#retried(async (node) => {
      const { error } = await this.cluster.request({ node, lane: this.lane }, api, request);
      checkAnswer(error, api.name, this.transactionalId);
    });
  }

  async #retried(work: (node: number) => Promise<void>): Promise<void> {
    const { cluster, timeoutMs, transactionalId } = this;
    const onRetry = (failure: KafkaClientError) => forgetMoved(cluster, transactionalId, failure);
    await retried({ timeoutMs, onRetry }, async () => {
      if (this.#failure !== undefined) throw this.#failure;
      await work(await cluster.coordinator('transaction', transactionalId, { timeoutMs }));
    });
  }
}

/** Answers to EndTxn that say: nothing was done about it yet. */
const NOT_BEGUN: ReadonlySet<string> = new Set(['CONCURRENT_TRANSACTIONS', 'COORDINATOR_LOAD_IN_PROGRESS']);

function unknownOutcome(cause: unknown, transactionalId: string): KafkaClientError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new KafkaClientError(`the commit of ${transactionalId} was sent, and not answered: ${reason}`, {
    kind: 'unknown',
    transactionalId,
    cause,
  });
}

function forgetMoved(cluster: Cluster, transactionalId: string, { error }: KafkaClientError): void {
  if (error !== 'CONCURRENT_TRANSACTIONS') cluster.forgetCoordinator('transaction', transactionalId);
}

function checkAnswer(
  code: number,
  what: string,
  transactionalId: string,
  place: { readonly topic?: string; readonly partition?: number } = {},
): void {
  const error = errorName(code);
  if (error === undefined) return;
  const kind = kindOf(error);
  throw new KafkaClientError(`${what}: ${error}`, { kind, error, transactionalId, ...place });
}
