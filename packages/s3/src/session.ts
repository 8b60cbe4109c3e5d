/** A claim on some partitions, and its transactions: data files, then one entry of the log. */
import {
  EosError,
  judgeCommit,
  type ChangeBatch,
  type DriverCommit,
  type Owner,
  type Positions,
  type SessionDriver,
  type SinkContext,
  type TransactionDriver,
  type TxId,
} from '@eos/core';
import type { DataFile, DataFiles } from './files/data-files.js';
import type { CommitEntry } from './log/entry.js';
import type { OpenLog, TablePlace } from './log/index.js';
import { newNonce } from './log/nonce.js';
import { recordOf, scopeOf, type LogState } from './log/state.js';
import { completeFiles } from './visibility/completion.js';

export interface SessionRequest<Row> {
  readonly log: OpenLog;
  readonly place: TablePlace;
  readonly context: SinkContext;
  readonly owner: Owner;
  readonly positions: Positions;
  /** Makes the files of a transaction, whose names carry the end of the log as of now. */
  readonly newFiles: (seen: bigint) => DataFiles<Row>;
}

/** Memory: that of the files of two transactions at most. */
export function openSession<Row>(request: SessionRequest<Row>): SessionDriver<Row> {
  const { log, place } = request;
  const open = new Set<DataFiles<Row>>();
  let giveUp: (reason: EosError) => void = () => undefined;
  const closed = new Promise<never>((_, reject) => (giveUp = reject));
  closed.catch(() => undefined);
  /** Of the last commit, where they could not be completed yet. */
  let uncompleted: readonly DataFile[] = [];

  const rollForward = async () => {
    await completeFiles(place, uncompleted);
    uncompleted = [];
  };

  function transaction(id: TxId): TransactionDriver<Row> {
    const { seq: seen } = log.state;
    let files: DataFiles<Row> | undefined;
    let sealed: readonly DataFile[] = [];
    return {
      async write(batch: ChangeBatch<Row>) {
        if (files === undefined) open.add((files = request.newFiles(seen)));
        await files.write(batch);
      },
      async prepare() {
        const [made] = await Promise.all([files?.seal(), log.verify(), rollForward()]);
        sealed = made ?? [];
      },
      async commit(commit) {
        // From here on nothing may be deleted: what was sent may land (law 3).
        if (files !== undefined) open.delete(files);
        const appended = log.append((state) => {
          judgeState(state, request.context, commit, { seen, files: sealed });
          return commitEntry(request, { id, seen, files: sealed }, state, commit);
        });
        await Promise.race([appended, closed]);
        uncompleted = sealed;
        // It is committed: what cannot be completed now is completed before the next commit, or by the next claim.
        await rollForward().catch(() => undefined);
      },
      async rollback() {
        if (files === undefined) return;
        open.delete(files);
        await files.abort();
      },
    };
  }

  return {
    positions: request.positions,
    begin: async (id) => transaction(id),
    async close() {
      giveUp(
        new EosError('EOS_UNKNOWN_OUTCOME', 'the session was closed while its commit was under way', {
          retryable: true,
          outcome: 'unknown',
        }),
      );
      const left = [...open];
      open.clear();
      await Promise.all(left.map((files) => files.abort()));
    },
  };
}

interface Written {
  readonly seen: bigint;
  readonly files: readonly DataFile[];
}

/** @throws EOS_POSITION_REGRESSED, EOS_FENCED; EOS_UNAVAILABLE, retryable, where vacuum may delete the files */
function judgeState(
  state: LogState,
  context: SinkContext,
  { from }: DriverCommit,
  { seen, files }: Written,
): void {
  for (const [partition, position] of from)
    judgeCommit(partition, recordOf(state, scopeOf(context), partition)?.position, position);
  if (files.length === 0 || seen >= state.floor) return;
  throw new EosError(
    'EOS_UNAVAILABLE',
    `vacuum was run twice since this transaction began (floor ${state.floor}, begun at ${seen}), and may have deleted its files: they are written again`,
    { retryable: true, details: { floor: state.floor, seen } },
  );
}

function commitEntry<Row>(
  { context, owner }: SessionRequest<Row>,
  { id, seen, files }: Written & { readonly id: TxId },
  { seq }: LogState,
  { from, next }: DriverCommit,
): CommitEntry {
  const { pipeline, sink } = context;
  return {
    kind: 'commit',
    nonce: newNonce(),
    at: Date.now(),
    pipeline,
    sink,
    owner,
    txId: id,
    // Without files there is nothing that vacuum could have deleted.
    seen: files.length === 0 ? seq : seen,
    positions: next,
    from: new Map([...from].map(([partition, { offset }]) => [partition, offset])),
    files,
  };
}
