/**
 * What a transaction writes, on its way into the log: records are appended to one batch for each partition; a batch that is full is sent,
 * and one request at a time to each broker, so that the batches of a partition arrive in their order.
 */
import { asClientError, kindOf, type KafkaClientError } from './client-error.js';
import { partitionError, type Cluster } from './cluster.js';
import { groupBy } from './group-by.js';
import type { RecordColumns } from './records.js';
import { retried } from './retry.js';
import { BatchBuilder } from './wire/batch-builder.js';
import { splitBatch } from './wire/batch-split.js';
import { compressBatch, type WrittenCodec } from './wire/compression.js';
import { errorName } from './wire/error-codes.js';
import { produceApi, type ProducedBatch } from './wire/produce.js';
import type { ProducerIdentity, TopicPartitions } from './wire/transactions.js';

export interface ProduceQueueOptions {
  readonly cluster: Cluster;
  readonly identity: ProducerIdentity;
  readonly lane: string;
  readonly timeoutMs: number;
  readonly compression: WrittenCodec | undefined;
  /** Tells the coordinator of partitions, before anything is written to them. */
  addPartitions(topics: readonly TopicPartitions[]): Promise<void>;
}

/** A batch is sent when it has this much: below what every broker takes (`message.max.bytes`, 1 MiB unless set). */
const FULL_BATCH_BYTES = 512 * 1024;
/** So much may wait to be sent, beside the batch of each partition that is being filled. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;
const SPARE_BUILDERS = 4;
/** Beyond the topic's `max.message.bytes`, or its `segment.bytes`. */
const TOO_LARGE: ReadonlySet<string> = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);

interface Lot {
  readonly target: PartitionState;
  readonly builder: BatchBuilder;
}

interface Batch extends Lot {
  readonly bytes: Buffer;
}

interface PartitionState {
  readonly topic: string;
  readonly partition: number;
  builder: BatchBuilder | undefined;
  isAdded: boolean;
  isExpected: boolean;
  nextSequence: number;
}

export class ProduceQueue {
  readonly #topics = new Map<string, Map<number, PartitionState>>();
  readonly #spare: BatchBuilder[] = [];
  #waiting: Lot[] = [];
  #waitingBytes = 0;
  #sending: Promise<void> | undefined;
  #failure: KafkaClientError | undefined;
  #onSent: (() => void)[] = [];

  constructor(private readonly options: ProduceQueueOptions) {}

  async append(topic: string, partitions: Int32Array | number, records: RecordColumns): Promise<void> {
    const states = this.#statesOf(topic);
    const timestamp = records.timestamp ?? Date.now();
    let state: PartitionState | undefined;
    for (let index = 0; index < records.count; index++) {
      const partition = typeof partitions === 'number' ? partitions : (partitions[index] ?? 0);
      if (state?.partition !== partition) state = this.#stateOf(states, topic, partition);
      this.#appendTo(state, records, index, timestamp);
    }
    while (this.#waitingBytes > MAX_WAITING_BYTES) {
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => this.#onSent.push(resolve));
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** A partition that every transaction will write to. */
  expect(topic: string, partition: number): void {
    this.#stateOf(this.#statesOf(topic), topic, partition).isExpected = true;
  }

  async flush(): Promise<void> {
    for (const state of this.#allStates()) this.#seal(state);
    this.#start();
    while (this.#sending !== undefined) await this.#sending;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Forgets what was not sent, and waits for what was. */
  async discard(): Promise<void> {
    for (const state of this.#allStates()) state.builder = undefined;
    this.#waiting = [];
    this.#waitingBytes = 0;
    while (this.#sending !== undefined) await this.#sending;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** The transaction has ended: the next one begins without partitions. */
  ended(): void {
    for (const state of this.#allStates()) state.isAdded = false;
  }

  close(failure: KafkaClientError): void {
    this.#failure ??= failure;
    this.#waiting = [];
    this.#topics.clear();
    this.#spare.length = 0;
    this.#tellSent();
  }

  #appendTo(state: PartitionState, records: RecordColumns, index: number, timestamp: number): void {
    const size = BatchBuilder.sizeOf(records, index);
    if (state.builder !== undefined && state.builder.size + size > FULL_BATCH_BYTES) {
      this.#seal(state);
      this.#start();
    }
    state.builder ??= this.#spare.pop() ?? new BatchBuilder();
    state.builder.append(records, index, timestamp);
  }

  #seal(state: PartitionState): void {
    const { builder } = state;
    if (builder === undefined || builder.count === 0) return;
    state.builder = undefined;
    this.#waiting.push({ target: state, builder });
    this.#waitingBytes += builder.size;
  }

  #start(): void {
    if (this.#sending !== undefined || this.#waiting.length === 0) return;
    this.#sending = this.#sendAll().finally(() => (this.#sending = undefined));
  }

  /** Never rejects: whoever appends or flushes next is told. */
  async #sendAll(): Promise<void> {
    try {
      while (this.#waiting.length > 0 && this.#failure === undefined) await this.#sendSome();
    } catch (error) {
      this.#failure ??= asClientError(error);
    }
    this.#tellSent();
  }

  /** One batch of each partition that has any, all at the same time. */
  async #sendSome(): Promise<void> {
    const lots = new Map<PartitionState, Lot>();
    for (const lot of this.#waiting) if (!lots.has(lot.target)) lots.set(lot.target, lot);
    const taken = new Set(lots.values());
    this.#waiting = this.#waiting.filter((lot) => !taken.has(lot));
    await this.#addPartitions([...lots.keys()]);
    await this.#produce([...taken]);
    for (const { builder } of taken) {
      this.#waitingBytes -= builder.size;
      builder.reset();
      if (this.#spare.length < SPARE_BUILDERS) this.#spare.push(builder);
    }
    this.#tellSent();
  }

  /** All that the transaction has touched by now, so that a second request is seldom needed. */
  async #addPartitions(needed: readonly PartitionState[]): Promise<void> {
    if (needed.every(({ isAdded }) => isAdded)) return;
    const isFilled = ({ isAdded, isExpected, builder }: PartitionState) =>
      !isAdded && (isExpected || builder !== undefined);
    const added = new Set([
      ...needed.filter(({ isAdded }) => !isAdded),
      ...[...this.#allStates()].filter(isFilled),
    ]);
    const topics = [...groupBy(added, ({ topic }) => topic)].map(([topic, states]) => ({
      topic,
      partitions: states.map(({ partition }) => partition),
    }));
    await this.options.addPartitions(topics);
    for (const state of added) state.isAdded = true;
  }

  async #produce(lots: readonly Lot[]): Promise<void> {
    const { identity, compression } = this.options;
    const batches = await Promise.all(
      lots.map(async ({ target, builder }): Promise<Batch> => {
        const bytes = builder.finish({ ...identity, baseSequence: target.nextSequence });
        const isPlain = compression === undefined;
        return { target, builder, bytes: isPlain ? bytes : await compressBatch(bytes, compression) };
      }),
    );
    const tooLarge = await this.#send(batches);
    for (const { target, builder } of batches) {
      if (!tooLarge.has(target)) target.nextSequence = after(target.nextSequence, builder.count);
    }
    const halves = batches.flatMap(({ target, bytes }) =>
      tooLarge.has(target) ? splitBatch(bytes).map((builder): Lot => ({ target, builder })) : [],
    );
    this.#waiting.unshift(...halves);
    for (const { builder } of halves) this.#waitingBytes += builder.size;
  }

  /**
   * A batch that a broker refused for now is sent again as it was: by its sequence the broker knows it, had it taken it after all.
   * @returns those that are too large for their topic, and may be split
   */
  async #send(batches: readonly Batch[]): Promise<ReadonlySet<PartitionState>> {
    const { cluster, timeoutMs } = this.options;
    const tooLarge = new Set<PartitionState>();
    let left = batches;
    const onRetry = () => left.forEach(({ target }) => cluster.forgetTopic(target.topic));
    await retried({ timeoutMs, onRetry }, async () => {
      const failed = await this.#sendOnce(left);
      for (const { target, builder } of left) {
        if (!TOO_LARGE.has(failed.get(target) ?? '') || builder.count === 1) continue;
        failed.delete(target);
        tooLarge.add(target);
      }
      left = left.filter(({ target }) => failed.has(target));
      for (const [{ topic, partition }, error] of failed) throw partitionError(error, topic, partition);
    });
    return tooLarge;
  }

  /** The errors, by partition; what passes last, so that what does not is thrown. */
  async #sendOnce(batches: readonly Batch[]): Promise<Map<PartitionState, string>> {
    const { cluster, identity, lane, timeoutMs } = this.options;
    const led = await Promise.all(
      batches.map(async (batch) => ({
        ...batch,
        node: await cluster.leader(batch.target.topic, batch.target.partition),
      })),
    );
    const requests = [...groupBy(led, ({ node }) => node)].map(async ([node, sent]) => {
      const topics = [...groupBy(sent, ({ target }) => target.topic)].map(([topic, lots]) => ({
        topic,
        batches: lots.map(({ target, bytes }) => ({ partition: target.partition, bytes })),
      }));
      const sizeHint = sent.reduce((sum, { bytes }) => sum + bytes.length + 256, 256);
      const { transactionalId } = identity;
      const request = { transactionalId, timeoutMs, topics };
      return await cluster.request({ node, lane }, produceApi, request, { sizeHint, timeoutMs });
    });
    const answers = (await Promise.all(requests)).flat();
    const failed = led.flatMap(({ target }) => {
      const error = errorOf(answers, target);
      return error === undefined ? [] : ([[target, error]] as const);
    });
    return new Map(failed.sort(([, left], [, right]) => Number(mayPass(left)) - Number(mayPass(right))));
  }

  #statesOf(topic: string): Map<number, PartitionState> {
    let states = this.#topics.get(topic);
    if (states === undefined) this.#topics.set(topic, (states = new Map<number, PartitionState>()));
    return states;
  }

  #stateOf(states: Map<number, PartitionState>, topic: string, partition: number): PartitionState {
    let state = states.get(partition);
    if (state === undefined) {
      state = { topic, partition, builder: undefined, isAdded: false, isExpected: false, nextSequence: 0 };
      states.set(partition, state);
    }
    return state;
  }

  *#allStates(): Iterable<PartitionState> {
    for (const states of this.#topics.values()) yield* states.values();
  }

  #tellSent(): void {
    for (const resolve of this.#onSent.splice(0)) resolve();
  }
}

function errorOf(
  answers: readonly ProducedBatch[],
  { topic, partition }: PartitionState,
): string | undefined {
  const answer = answers.find((other) => other.topic === topic && other.partition === partition);
  const name = answer === undefined ? 'UNKNOWN_SERVER_ERROR' : errorName(answer.error);
  // The broker has it already, from the first time that it was sent.
  return name === 'DUPLICATE_SEQUENCE_NUMBER' ? undefined : name;
}

function mayPass(error: string): boolean {
  return kindOf(error) === 'unavailable';
}

/** Sequence numbers go round at 2^31. */
function after(sequence: number, count: number): number {
  return (sequence + count) % 2 ** 31;
}
