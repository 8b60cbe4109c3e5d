/**
 * The port: what an author of a sink writes, and what each side owes. The laws are numbered as in ARCHITECTURE.md.
 */
import type { SinkAbilities } from './abilities.js';
import type { ChangeBatch } from './changes.js';
import type { ChangelogMode } from './changelog.js';
import type { EosError } from './errors.js';
import type { Owner, PartitionId, TxId } from './identifiers.js';
import type { Advances, Positions } from './positions.js';

/** What a sink declares about itself. The conformance suite tests what is declared, and takes no other switch. */
export interface SinkCapabilities {
  /** Which changes it can hold. */
  readonly changelog: ChangelogMode;
  /** With `upsert`: the columns of the key. */
  readonly key?: readonly string[];
  /** Whether a commit moves all its partitions together, or each by itself (then errors carry an outcome for each). */
  readonly atomic: 'transaction' | 'partition';
  /** Whether the next transaction may be begun and written while one prepares and commits. Its `prepare` waits for that commit all the same. */
  readonly staging: boolean;
  /** Whether a row that cannot be written may be kept, in the same transaction, elsewhere. */
  readonly deadLetters: boolean;
  /**
   * The destination aborts a transaction that is open for so many milliseconds. The runner commits before, whatever its trigger says.
   * Absent: it may be open for as long as it takes.
   */
  readonly transactionTimeoutMs?: number;
  /** Whether what was committed survives the process: false for memory only. */
  readonly durable: boolean;
}

/** Which record of the destination a sink works on. */
export interface SinkContext {
  /** Pipeline id: 1 to 128 of `A-Z a-z 0-9 . _ -`. */
  readonly pipeline: string;
  /** Sink name, unique within the pipeline; same characters. */
  readonly sink: string;
  /** True: the destination object must be there; nothing is made in its place. Default false. */
  readonly mustExist?: boolean;
}

/** What `postgresSink(…)` and its like return: options, checked, and not yet connected. */
export interface SinkConnector<in Row> {
  /** For messages: kind and destination, such as `postgres public.flights`. Never a secret. */
  readonly description: string;
  readonly capabilities: SinkCapabilities;
  /** What tools such as the `eos` command may ask, without opening the sink. */
  readonly abilities?: SinkAbilities;
  /** Connects, checks options, grants and schema against the destination, and makes what is missing where allowed. */
  open(context: SinkContext): Promise<Sink<Row>>;
}

/** What a later claim knows of the earlier ones of the same process (law 1). */
export interface EarlierClaim {
  /** Tokens this process may have put there, and those it saw there before; any other found means fenced. */
  readonly owners: ReadonlySet<Owner>;
  /** The last epoch that was acknowledged; a lower one at the destination is a regression, judged before ownership. */
  readonly epoch: bigint;
}

export interface RecoverOptions {
  /**
   * The token to claim with; default a random one. A caller that retries passes its own, so that it can recognise its claim
   * after a lost answer.
   */
  readonly owner?: Owner;
  /** By partition; absent: the first claim of this process, which takes over. */
  readonly replacing?: ReadonlyMap<PartitionId, EarlierClaim>;
}

/** One destination, opened for one (pipeline, sink). Safe to use from one process at a time; several processes have one each. */
export interface Sink<in Row> {
  readonly capabilities: SinkCapabilities;
  /** Every position of this (pipeline, sink), or those of `partitions`, where they exist. Reads only, and disturbs nobody. */
  positions(partitions?: readonly PartitionId[]): Promise<Positions>;
  /**
   * Claims exactly these partitions and settles what came before: when it returns, no commit of an earlier session on them can
   * take effect any more, and what had taken effect is in the positions of the session (law 1).
   * @throws EOS_FENCED where `replacing` names a partition that another owner holds now
   * @throws EOS_TARGET_CHANGED where a stored position belongs to another destination object
   */
  recover(partitions: readonly PartitionId[], options?: RecoverOptions): Promise<SinkSession<Row>>;
  /** Ends open sessions and frees everything. Never throws on a closed sink. */
  close(): Promise<void>;
}

/** A claim on some partitions. Dead after a failed commit, a fence or a lost connection: every call then throws EOS_SESSION_DEAD. */
export interface SinkSession<in Row> {
  readonly owner: Owner;
  /** Up to date after every acknowledged commit. */
  readonly positions: Positions;
  /**
   * Opens a transaction.
   * @throws EOS_TRANSACTION_OPEN where one is open, unless its `prepare` was called and the sink declares staging
   */
  begin(): Promise<SinkTransaction<Row>>;
  /** Ends the session; an open transaction is rolled back. The claim stays at the destination. */
  close(): Promise<void>;
}

/** begin → write… → prepare → commit, or rollback at any time before commit. */
export interface SinkTransaction<in Row> {
  readonly id: TxId;
  /** Adds changes, in order. Resolves when the sink can take more: memory stays bounded whatever the transaction's size. */
  write(batch: ChangeBatch<Row>): Promise<void>;
  /**
   * Phase one: every check made, nothing visible. To be called only when the session's earlier commit was acknowledged.
   * @throws EOS_ROW where a row is rejected
   */
  prepare(): Promise<void>;
  /**
   * Phase two, the one atomic step: rows and positions become visible together, if and only if every partition still has this
   * session's owner and `from`'s epoch at the destination, which makes the comparison itself (law 2).
   * @throws EOS_FENCED (another claim), EOS_POSITION_REGRESSED (stored epoch below `from`, judged first), EOS_UNKNOWN_OUTCOME
   *   (answer lost: the session is dead; call `recover` and compare `txId`, law 3)
   */
  commit(range: CommitRange): Promise<void>;
  /** What was set aside instead of written; complete once `prepare` has resolved. Absent: nothing can be. */
  readonly rejected?: RejectedRows | undefined;
  /** Discards the transaction. Never throws on an ended one, and deletes nothing once a commit request was sent (law 3). */
  rollback(): Promise<void>;
}

/** Bad rows that did not stop their transaction: kept as dead letters, or skipped, as the sink was told to. */
export interface RejectedRows {
  readonly counts: ReadonlyMap<PartitionId, number>;
  /** Why, for the first few: EOS_ROW, with partition, offset and column. */
  readonly examples: readonly EosError[];
}

/** `from` and `to` name exactly the partitions whose position moves in this transaction. */
export interface CommitRange {
  readonly from: Positions;
  readonly to: Advances;
}
