import type { ChangeBatch } from '@eos/core';
import type { Link } from './connection.js';

/** Writes the rows of one transaction, from its BEGIN to where only the COMMIT is missing. */
export interface Writer<Row> {
  write(batch: ChangeBatch<Row>): Promise<void>;
  prepare(): Promise<void>;
  /** Leaves the transaction ready for a ROLLBACK. */
  abandon(): void;
}

/** Begins a transaction on an idle connection. */
export type WriterFactory<Row> = (link: Link) => Writer<Row>;

/** How many characters of rows are sent at a time: large enough for few system calls, small enough to start early. */
export const SLICE = 65_536;
