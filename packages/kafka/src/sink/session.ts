/** A claim: a producer for each source partition. */
import type { EosError, PartitionId, Position, Positions, SessionDriver, TransactionDriver } from '@eos/core';
import { eosError } from '../client/eos-error.js';
import type { KafkaClientError } from '../client/client-error.js';
import type { TransactionalProducer } from '../client/client.js';
import type { RecordEncoder } from '../encoding/format.js';
import type { PositionsTopic } from '../positions/positions-topic.js';
import type { Claimed } from './claim.js';
import { whyLost } from './judge-lost.js';
import { lagReport, type LagReport } from './lag-report.js';
import type { SinkPlace } from './options.js';
import { Router } from './router.js';
import { KafkaTransaction } from './transaction.js';

/** What transactions share. */
export interface SessionParts<Row> {
  readonly topic: PositionsTopic;
  readonly producers: ReadonlyMap<PartitionId, TransactionalProducer>;
  readonly router: Router<Row>;
  readonly lag: LagReport | undefined;
  readonly newEncoder: () => RecordEncoder<Row>;
  readonly committed: (partition: PartitionId, position: Position, committedAt: number) => void;
  readonly whyLost: (partition: PartitionId, failure: KafkaClientError) => Promise<EosError>;
}

export class KafkaSession<Row> implements SessionDriver<Row> {
  readonly positions: Positions;
  /** As of the last commit. */
  readonly #current: Map<PartitionId, Position>;
  readonly #parts: SessionParts<Row>;

  constructor({ settings, context }: SinkPlace<Row>, claimed: Claimed) {
    const { topic, producers, targets, positions } = claimed;
    this.positions = positions;
    this.#current = new Map(positions);
    this.#parts = {
      topic,
      producers,
      router: new Router(settings, targets),
      lag: lagReport(settings.reportOffsets),
      newEncoder: settings.encoder(context),
      committed: (partition, position) => void this.#current.set(partition, position),
      whyLost: async (partition, failure) => {
        const from = this.#current.get(partition);
        return from === undefined
          ? eosError(failure)
          : await whyLost(topic, context, partition, from, failure);
      },
    };
  }

  async begin(): Promise<TransactionDriver<Row>> {
    return new KafkaTransaction(this.#parts);
  }

  async close(): Promise<void> {
    for (const producer of this.#parts.producers.values()) producer.close();
  }
}
