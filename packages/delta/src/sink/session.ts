/** A session: one claim, one log that it follows, one commit at a time. */
import type {
  DriverCommit,
  PartitionId,
  SessionDriver,
  SinkContext,
  TransactionDriver,
  TxId,
} from '@eos/core';
import { Checkpointer } from '../log/checkpointer.js';
import { NO_ACTIONS, type Version } from '../log/actions.js';
import type { DeltaLog } from '../log/delta-log.js';
import type { TableState } from '../log/table-state.js';
import { checkFloor } from '../maintenance/floor.js';
import { readOwnership, readTxId, recordActions } from '../positions/records.js';
import type { Claimed } from './claim.js';
import { checkStagedFiles } from './staged-files-check.js';
import { commitInfo, judgeState } from './table-session.js';
import type { TransactionWriter } from './writers.js';

export type BeginWriter<Row> = (id: TxId) => TransactionWriter<Row>;

interface Transaction<Row> {
  readonly id: TxId;
  readonly writer: TransactionWriter<Row>;
  /** In milliseconds: nothing of it was written before. */
  readonly begunAt: number;
  /** The version that was known then. */
  readonly base: Version;
}

export class TableSession<Row> implements SessionDriver<Row> {
  readonly positions;
  readonly #checkpointer: Checkpointer;

  constructor(
    private readonly log: DeltaLog,
    private readonly context: SinkContext,
    private readonly claimed: Claimed,
    private readonly beginWriter: BeginWriter<Row>,
  ) {
    this.positions = claimed.positions;
    this.#checkpointer = new Checkpointer(log);
  }

  async begin(id: TxId): Promise<TransactionDriver<Row>> {
    const writer = this.beginWriter(id);
    const begunAt = Date.now();
    const base = this.log.state.version;
    let isCurrent = false;
    return {
      write: (batch) => writer.write(batch),
      prepare: async () => {
        this.#checkpointer.check();
        // Beside the upload: whether the log is still the one that this session follows.
        const [looked, prepared] = await Promise.allSettled([this.log.isCurrent(), writer.prepare()]);
        if (prepared.status === 'rejected') throw prepared.reason;
        if (looked.status === 'rejected') throw looked.reason;
        isCurrent = looked.value;
      },
      commit: async (commit) => {
        // The store may have gone back, or the log been cleaned up: what is there is judged, not what was known.
        try {
          if (!isCurrent) await this.log.reload();
          await this.#commit({ id, writer, begunAt, base }, commit);
        } finally {
          await writer.end?.();
        }
      },
      rollback: () => writer.discard(),
    };
  }

  async close(): Promise<void> {
    await this.#checkpointer.close();
  }

  /** Law 2: the put of the next version is the comparison. Whoever was first is judged, and the commit goes behind it. */
  async #commit(transaction: Transaction<Row>, commit: DriverCommit): Promise<void> {
    const { log, context, claimed } = this;
    const { id, begunAt, base } = transaction;
    const expected = { protocol: claimed.protocol, metadata: claimed.plan.metadata };
    for (;;) {
      judgeState(log.state, context, commit.from, expected);
      checkFloor(log.state, base);
      const actions = await this.#actions(transaction, commit);
      // To merge may take long: the look of `prepare` is too old by now.
      if (actions.info['isBlindAppend'] !== true && !(await log.isCurrent())) {
        await log.reload();
        continue;
      }
      await checkStagedFiles(log, log.state.metadata, actions, begunAt);
      if (await log.append(actions, (state) => this.#holds(state, id, commit))) break;
      await log.advance();
    }
    this.#checkpointer.committed();
  }

  async #actions({ id, writer }: Transaction<Row>, { next }: DriverCommit) {
    const { state } = this.log;
    const now = Date.now();
    const { operation, parameters, isBlindAppend, ...files } = await writer.fileActions(state);
    const transactions = [...next].flatMap(([partition, position]) =>
      recordActions(state.transactions, this.context, partition, position, now),
    );
    const readVersion = state.version;
    const facts = { operation, parameters, isBlindAppend, readVersion, now };
    return { ...NO_ACTIONS, ...files, info: commitInfo(id, this.context, facts), transactions };
  }

  /** Whether a later state has the commit: its own number, or a later epoch of the partition, which only comes on top of it. */
  #holds(state: TableState, id: TxId, { next }: DriverCommit): boolean {
    return [...next.keys()].every((partition) => this.#holdsPartition(state, id, partition, next));
  }

  #holdsPartition(state: TableState, id: TxId, partition: PartitionId, next: DriverCommit['next']): boolean {
    if (readTxId(state.transactions, this.context, partition) === id) return true;
    const epoch = readOwnership(state.transactions, this.context, partition)?.epoch ?? -1n;
    return epoch > (next.get(partition)?.epoch ?? epoch);
  }
}
