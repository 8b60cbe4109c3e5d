/** How a mode gets rows into the table. */
import type { ChangeBatch } from '@eos/core';
import type { CommitActions } from '../log/actions.js';
import type { TableState } from '../log/table-state.js';

export interface TransactionWriter<Row> {
  /** Takes rows; memory stays bounded. @throws EOS_ROW */
  write(batch: ChangeBatch<Row>): Promise<void>;
  /** Makes everything durable that does not depend on what the table holds. */
  prepare(): Promise<void>;
  /**
   * What the commit is to do to files, on top of this state. Asked for again, with the state behind the winners, whenever somebody else
   * was first.
   */
  fileActions(state: TableState): Promise<FileActions>;
  /** Deletes what was written. Never called once a commit was sent. Never throws. */
  discard(): Promise<void>;
  /** Frees what it holds in this process, once its commit was tried, whatever came of it. Never throws. */
  end?(): Promise<void>;
}

export interface FileActions extends Pick<CommitActions, 'removes' | 'adds' | 'changeFiles'> {
  /** True where files are only added, whatever the table holds: other writers then need not mind. */
  readonly isBlindAppend: boolean;
  /** For the history of the table: `WRITE`, `MERGE`. */
  readonly operation: string;
  readonly parameters: Readonly<Record<string, string>>;
}
