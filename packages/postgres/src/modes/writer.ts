import type { ChangeBatch, RejectedRows, TxId } from '@eos/core';
import type { Reject } from '../bad-rows/bad-rows.js';
import type { Link } from '../connection/connection.js';

/** Writes the rows of one transaction, from its BEGIN to where only the COMMIT is missing. */
export interface Writer<Row> {
  write(batch: ChangeBatch<Row>): Promise<void>;
  prepare(): Promise<void>;
  /** Ends what is under way, so that the connection is idle and ready for a ROLLBACK. Never rejects. */
  abandon(): Promise<void>;
  /** The rows that were set aside. */
  rejected?(): RejectedRows;
}

/** How a writer begins, where it is not all of a transaction whose first bad row ends it. */
export interface Opening<in Row> {
  readonly id?: TxId;
  /** Sent before the rows, in place of BEGIN. */
  readonly statements?: string;
  /** Told of each row that is found bad before it is sent, which is then left out. */
  readonly reject?: Reject<Row>;
}

/** How the rows of a table are written. */
export interface Writers<Row> {
  /** Readies a new connection. */
  prepare(link: Link): Promise<void>;
  /**
   * Begins a transaction on an idle connection. Nothing of it that waits for a lock may reach the server before `after` is resolved,
   * which the transaction before has then done too: else each could wait for the other.
   */
  begin(link: Link, after: Promise<void> | undefined, opening?: Opening<Row>): Writer<Row>;
  /** Statements, each behind a `; `, before rows are written in a transaction that has written some. */
  readonly again?: string;
  /** How a transaction is written whose bad rows are set aside, until one is met that these do not know what to do about. */
  readonly first?: Writers<Row>;
  /** What changes of the same thing have in common; null: rows only add. Absent: their order counts. */
  readonly keyOf?: ((row: unknown) => unknown) | null;
}
