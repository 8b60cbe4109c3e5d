import type { LogBatch } from '../client/records.js';

/**
 * Hands on the batches of a partition whose transactions were committed, when they are: read from its log as it is, with the control
 * records that tell. No client's own filter is relied on: that of KafkaJS and of `@platformatic/kafka` let records of aborted transactions
 * through.
 *
 * Holds the batches of transactions that are open, which is bounded by what their producers write in one transaction.
 */
export class TransactionFilter {
  readonly #open = new Map<bigint, LogBatch[]>();

  constructor(private readonly onCommitted: (batch: LogBatch) => void) {}

  /** The batches of transactions that are not decided yet, by producer. */
  get undecided(): ReadonlyMap<bigint, readonly LogBatch[]> {
    return this.#open;
  }

  /**
   * To be called with the batches in the order of the log.
   * @param isWanted false where the batch can be left out: it holds nothing that is looked for
   */
  take(batch: LogBatch, isWanted = true): void {
    const { control, isTransactional, producerId } = batch;
    if (control !== undefined) {
      if (control !== 'other') this.end(producerId, control);
      return;
    }
    if (!isWanted) return;
    if (!isTransactional) {
      this.onCommitted(batch);
      return;
    }
    const open = this.#open.get(producerId);
    if (open === undefined) this.#open.set(producerId, [batch]);
    else open.push(batch);
  }

  /** Ends what a producer has open. Called from outside only where the outcome is known from elsewhere than the log. */
  end(producerId: bigint, outcome: 'commit' | 'abort'): void {
    const open = this.#open.get(producerId) ?? [];
    this.#open.delete(producerId);
    if (outcome === 'commit') for (const batch of open) this.onCommitted(batch);
  }
}
