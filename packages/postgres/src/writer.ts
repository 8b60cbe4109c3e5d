import type { ChangeBatch } from '@eos/core';
import type { Link } from './connection.js';

/** Writes the rows of one transaction, from its BEGIN to where only the COMMIT is missing. */
export interface Writer<Row> {
  write(batch: ChangeBatch<Row>): Promise<void>;
  prepare(): Promise<void>;
  /** Ends what is under way, so that the connection is idle and ready for a ROLLBACK. Never rejects. */
  abandon(): Promise<void>;
}

/** How the rows of a table are written. */
export interface Writers<Row> {
  /** Readies a new connection. */
  prepare(link: Link): Promise<void>;
  /**
   * Begins a transaction on an idle connection. Nothing of it that waits for a lock may reach the server before `after` is resolved,
   * which the transaction before has then done too: else each could wait for the other.
   */
  begin(link: Link, after: Promise<void> | undefined): Writer<Row>;
}
