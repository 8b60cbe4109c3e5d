/** Transactions that a sink has open at its destination, as tools see them: `eos txns`. */
import type { PartitionId } from './identifiers.js';

/** One transaction of a (pipeline, sink). */
export interface OpenTransaction {
  /** Names it at the destination. */
  readonly id: string;
  /** Source partition whose rows it holds; empty: it belongs to the set-up of the sink. */
  readonly partition: PartitionId;
  /** As the destination calls it. */
  readonly state: string;
  /** By the destination's clock. */
  readonly startedAt?: Date;
  /** After so many milliseconds the destination aborts it by itself. */
  readonly timeoutMs: number;
  /** What it touches, such as topics with their partitions. */
  readonly touches: readonly string[];
  /** Open for longer than its timeout, or longer than a commit takes to be written: whoever reads behind it waits. */
  readonly isLingering: boolean;
}

/** Looks at transactions, and ends them. Close it when done. */
export interface OpenTransactions {
  /** Those of this (pipeline, sink), the oldest first. */
  list(): Promise<readonly OpenTransaction[]>;
  /**
   * Aborts what is open under an id by taking it over, as a claim does. A process that works with it recovers and goes on; nothing that was
   * committed is touched.
   * @throws EOS_CONFIG for an id that is not of this (pipeline, sink)
   */
  abort(id: string): Promise<void>;
  close(): Promise<void>;
}
