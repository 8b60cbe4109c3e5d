/** A transaction of the port: one of Kafka's for each source partition that it touches, committed side by side. */
import {
  EosError,
  isEosError,
  type ChangeBatch,
  type DriverCommit,
  type Outcome,
  type PartitionId,
  type Position,
  type TransactionDriver,
} from '@eos/core';
import { isClientError } from '../client/client-error.js';
import type { TransactionalProducer } from '../client/client.js';
import { eosError } from '../client/eos-error.js';
import type { EncodedRecords, RecordEncoder } from '../encoding/format.js';
import { sendPosition } from './claim.js';
import type { Origin } from './router.js';
import type { SessionParts } from './session.js';

/** What a transaction holds of one source partition. */
interface Part<Row> {
  readonly producer: TransactionalProducer;
  readonly encoder: RecordEncoder<Row>;
  /** The last batch: errors of rows that came late name their place by it. */
  origin: Origin<Row>;
}

export class KafkaTransaction<Row> implements TransactionDriver<Row> {
  readonly #parts = new Map<PartitionId, Part<Row>>();
  #isEnded = false;

  constructor(private readonly session: SessionParts<Row>) {}

  async write(batch: ChangeBatch<Row>): Promise<void> {
    const part = this.#partOf(batch);
    const encoded = await part.encoder.encode(batch);
    await this.#send(batch.partition, part, encoded);
  }

  /** Every record is in the log, and the brokers have taken it; nothing is decided. */
  async prepare(): Promise<void> {
    await this.#each('aborted', this.#parts.keys(), async (partition) => {
      const part = this.#parts.get(partition);
      const rest = await part?.encoder.finish();
      if (part !== undefined && rest !== undefined) await this.#send(partition, part, rest);
      await part?.producer.flush();
    });
  }

  async commit({ from, next }: DriverCommit): Promise<void> {
    await this.#each('committed', from.keys(), async (partition) => {
      const position = next.get(partition);
      if (position !== undefined) await this.#commitPartition(partition, position);
    });
  }

  async rollback(): Promise<void> {
    this.#isEnded = true;
    await Promise.all([...this.#parts.values()].map(({ producer }) => producer.abort()));
  }

  #partOf(batch: ChangeBatch<Row>): Part<Row> {
    const { partition } = batch;
    let part = this.#parts.get(partition);
    if (part === undefined) {
      const producer = this.#producerOf(partition);
      part = { producer, encoder: this.session.newEncoder(), origin: batch };
      this.#parts.set(partition, part);
    }
    part.origin = batch;
    return part;
  }

  #producerOf(partition: PartitionId): TransactionalProducer {
    const producer = this.session.producers.get(partition);
    if (producer !== undefined) return producer;
    throw new EosError('EOS_RANGE', `partition ${partition} was not claimed`, { details: { partition } });
  }

  async #send(partition: PartitionId, part: Part<Row>, encoded: EncodedRecords<Row>): Promise<void> {
    for (const { topic, partitions, records } of this.session.router.route(encoded, part.origin)) {
      // A rollback may have come in between: what is sent now would begin another transaction.
      if (this.#isEnded) throw new EosError('EOS_STATE', 'the transaction was rolled back');
      await part.producer.send(topic, partitions, records).catch(async (error: unknown) => {
        throw await this.#meaning(partition, error);
      });
    }
  }

  async #commitPartition(partition: PartitionId, position: Position): Promise<void> {
    const { topic, lag } = this.session;
    const producer = this.#producerOf(partition);
    const committedAt = Date.now();
    await sendPosition(producer, topic, producer.transactionalId, { position, committedAt });
    await lag?.report(producer, partition, position);
    await producer.commit();
    this.session.committed(partition, position, committedAt);
  }

  /**
   * Does it for all partitions side by side, and throws one error for all that failed.
   * @param success what became of a partition where the work succeeded
   */
  async #each(
    success: Outcome,
    partitions: Iterable<PartitionId>,
    work: (partition: PartitionId) => Promise<void>,
  ): Promise<void> {
    const names = [...partitions];
    const results = await Promise.allSettled(
      names.map(async (partition) => {
        try {
          await work(partition);
        } catch (error) {
          throw await this.#meaning(partition, error);
        }
      }),
    );
    const outcomes = new Map<PartitionId, Outcome>();
    const failures = results.flatMap((result, index) => {
      const failure = result.status === 'rejected' ? eosError(result.reason) : undefined;
      outcomes.set(names[index] ?? '', failure === undefined ? success : failure.outcome);
      return failure ?? [];
    });
    const [first] = failures;
    if (first === undefined) return;
    if (names.length === 1) throw first;
    throw combined(failures, first, outcomes);
  }

  async #meaning(partition: PartitionId, error: unknown): Promise<EosError> {
    if (isEosError(error)) return error;
    if (isClientError(error) && error.kind === 'producer-lost')
      return await this.session.whyLost(partition, error);
    return eosError(error);
  }
}

/** What forbids to go on comes first. */
function combined(
  failures: readonly EosError[],
  first: EosError,
  outcomes: ReadonlyMap<PartitionId, Outcome>,
): EosError {
  const { code, message, retryable, details } = failures.find((failure) => !failure.retryable) ?? first;
  const isUnknown = [...outcomes.values()].includes('unknown');
  return new EosError(code, message, {
    retryable,
    outcome: isUnknown ? 'unknown' : 'aborted',
    outcomes,
    details,
    cause: first,
  });
}
