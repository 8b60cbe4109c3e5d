/** The one atomic step: compare, store the positions, COMMIT, in one flush and one round trip. */
import {
  canonicalText,
  EosError,
  type DriverCommit,
  type Owner,
  type SinkContext,
  type TxId,
} from '@eos/core';
import { BEGIN } from './begin.js';
import { FORMAT } from './catalog.js';
import { COMMIT_NAME } from './commit-function.js';
import type { Link } from '../connection/connection.js';
import { mapCommitError } from '../connection/error-map.js';
import { literal } from '../connection/identifiers.js';
import type { Table } from '../table/table.js';

/** Who commits. */
export interface Committer extends SinkContext {
  readonly owner: Owner;
  readonly timeoutMs: number;
  /** The tables that the session writes to, as they were when it claimed. */
  readonly tables: readonly Pick<Table, 'sql' | 'oid'>[];
}

/**
 * Commits the transaction that is open on `link`; opens one where none is, since a commit without rows needs none before.
 * @throws EOS_FENCED, EOS_POSITION_REGRESSED, EOS_TARGET_CHANGED, EOS_UNKNOWN_OUTCOME, and what the server raised at COMMIT
 */
export async function commit(
  link: Link,
  committer: Committer,
  id: TxId,
  moves: DriverCommit,
  isOpen: boolean,
): Promise<void> {
  const text = `${isOpen ? '' : `${BEGIN}; `}${compareText(committer, id, moves)}; COMMIT`;
  const answers = await link.run(text, committer.timeoutMs).catch((error: unknown) => {
    throw mapCommitError(error);
  });
  const tag = answers.at(-1)?.command;
  if (tag === 'COMMIT') return;
  throw new EosError('EOS_UNAVAILABLE', `the server answered the COMMIT with ${String(tag)}`, {
    retryable: true,
  });
}

function compareText({ pipeline, sink, owner, tables }: Committer, id: TxId, moves: DriverCommit): string {
  const names = `${literal(pipeline)}, ${literal(sink)}, ${owner}, ${id}`;
  const objects = `ARRAY[${tables.map(({ sql }) => literal(sql)).join(', ')}]::text[], '{${tables.map(({ oid }) => oid).join()}}'`;
  return `SELECT eos.${COMMIT_NAME}(${names}, ${literal(movesText(moves))}, ${objects})`;
}

function movesText({ from, next }: DriverCommit): string {
  const moves = [...next].map(([partition, { offset, watermark, readTo, plan, source }]) => ({
    partition,
    epoch: from.get(partition)?.epoch ?? 0n,
    next_offset: offset,
    watermark,
    read_to: readTo,
    plan,
    source,
    format: FORMAT,
  }));
  return canonicalText(moves);
}
