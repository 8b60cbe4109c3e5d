/** Reads one partition of the positions topic: from its start to the high watermark, and on from there. */
import { EosError } from '@eos/core';
import { isClientError } from '../client/client-error.js';
import type { FetchedLog, KafkaClient } from '../client/client.js';
import { bytesAt, type LogBatch, type LogRecords } from '../client/records.js';
import { TransactionFilter } from './transaction-filter.js';

export interface PositionLogOptions {
  readonly client: Pick<KafkaClient, 'log'>;
  readonly topic: string;
  readonly partition: number;
  /** Which keys are looked for. */
  readonly isWanted: (key: string) => boolean;
}

/** Where a value stands whose transaction has no outcome yet. */
export interface Undecided {
  readonly producerId: bigint;
  /** Of its batch. */
  readonly lastOffset: bigint;
}

/** Holds one value for each key that is looked for. */
export class PositionLog {
  readonly #found = new Map<string, string>();
  readonly #filter = new TransactionFilter((batch) => this.#apply(batch));
  #next = 0n;

  constructor(private readonly options: PositionLogOptions) {}

  /** The newest committed value of each key that is looked for. */
  get found(): ReadonlyMap<string, string> {
    return this.#found;
  }

  /** Keys whose newest value is in a transaction that is not decided, as far as the log shows. */
  undecidedKeys(): ReadonlyMap<string, Undecided> {
    const keys = new Map<string, Undecided>();
    for (const [producerId, batches] of this.#filter.undecided)
      for (const { records, lastOffset } of batches)
        for (let index = 0; index < records.count; index++) {
          const key = keyAt(records, index);
          if (this.options.isWanted(key)) keys.set(key, { producerId, lastOffset });
        }
    return keys;
  }

  /** Ends the open transaction of a producer as its coordinator says, where the log does not show it. */
  end(producerId: bigint, outcome: 'commit' | 'abort'): void {
    this.#filter.end(producerId, outcome);
  }

  /**
   * Reads what there is: up to the high watermark as of this call, at least.
   * @throws EOS_TARGET_CHANGED where records were deleted, and not by compaction
   */
  async readToEnd(): Promise<void> {
    let end: bigint | undefined;
    do {
      const { batches, highWatermark, logStartOffset, nextOffset } = await this.#fetch();
      if (logStartOffset > 0n) throw this.#deletedError();
      end ??= highWatermark;
      for (const batch of batches) if (batch.lastOffset >= this.#next) this.#take(batch);
      // Behind the last batch of the log, compaction may have left offsets without any.
      this.#next = batches.length === 0 ? end : nextOffset;
    } while (this.#next < end);
  }

  async #fetch(): Promise<FetchedLog> {
    const { client, topic, partition } = this.options;
    try {
      return await client.log.fetch({ topic, partition, offset: this.#next });
    } catch (error) {
      throw isClientError(error, 'OFFSET_OUT_OF_RANGE') ? this.#deletedError() : error;
    }
  }

  #deletedError(): EosError {
    const { topic, partition } = this.options;
    const message =
      `records of topic ${topic}, partition ${partition}, were deleted, and positions may be among them: restore the topic, ` +
      `or start over under another pipeline id or sink name`;
    return new EosError('EOS_TARGET_CHANGED', message, { details: { topic, partition } });
  }

  #take(batch: LogBatch): void {
    const { records } = batch;
    let isWanted = false;
    for (let index = 0; index < records.count && !isWanted; index++)
      isWanted = this.options.isWanted(keyAt(records, index));
    this.#filter.take(batch, isWanted);
  }

  #apply({ records }: LogBatch): void {
    for (let index = 0; index < records.count; index++) {
      const key = keyAt(records, index);
      if (!this.options.isWanted(key)) continue;
      const value = bytesAt(records.values, index);
      if (value === null) this.#found.delete(key);
      else this.#found.set(key, value.toString());
    }
  }
}

function keyAt({ keys }: LogRecords, index: number): string {
  return bytesAt(keys, index)?.toString() ?? '';
}
