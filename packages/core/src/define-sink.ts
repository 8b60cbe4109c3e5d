/**
 * What every sink has in common: the state machine, the checks of arguments, and what follows from an error. An author of a sink
 * writes a {@link SinkDriver} and none of this.
 */
import type { SinkAbilities } from './abilities.js';
import type { ChangeBatch } from './changes.js';
import { checkName, type Owner, type PartitionId, type TxId } from './identifiers.js';
import type { Positions } from './positions.js';
import { driverCall } from './state/driver-errors.js';
import { openSink } from './state/sink.js';
import type { EarlierClaim, RejectedRows, SinkCapabilities, SinkConnector, SinkContext } from './sink.js';

/** What an author of a sink writes: the destination's side of the port, called only in a legal order and with checked arguments. */
export interface SinkDriver<Row> {
  /** Every position of this (pipeline, sink), or those of `partitions`, where they exist; reads only. */
  positions(partitions?: readonly PartitionId[]): Promise<Positions>;
  /** Law 1. What is no EosError is taken as `unknown`: the claim may be there. Claims, waits for what is in flight, and returns what is there. Judge what is found with `judgeClaim` and `judgeTarget`. */
  recover(claim: Claim): Promise<SessionDriver<Row>>;
  close(): Promise<void>;
}

export interface Claim {
  /** Sorted, distinct, not empty. */
  readonly partitions: readonly PartitionId[];
  readonly owner: Owner;
  readonly replacing: ReadonlyMap<PartitionId, EarlierClaim>;
}

export interface SessionDriver<Row> {
  /** The position of each claimed partition, with the new owner. */
  readonly positions: Positions;
  begin(id: TxId): Promise<TransactionDriver<Row>>;
  /**
   * Frees the session's resources, those of an ended or failed transaction too. May come while a commit is under way: then it ends
   * the wait for the answer, and the commit throws outcome `unknown`.
   */
  close(): Promise<void>;
}

export interface TransactionDriver<Row> {
  /** A batch that is not empty, of a claimed partition. */
  write(batch: ChangeBatch<Row>): Promise<void>;
  prepare(): Promise<void>;
  /** Law 2. An EosError says `aborted` unless told otherwise: throw outcome `unknown`, or what the library threw, unless the destination said no. */
  commit(commit: DriverCommit): Promise<void>;
  /** Where rows can be set aside: those of this transaction, complete once `prepare` has resolved. */
  rejected?(): RejectedRows;
  /** Called at most once, and never after `commit` was called; may come while `write` or `prepare` is under way, and then ends it. */
  rollback(): Promise<void>;
}

export interface DriverCommit {
  /** What must be there: compare owner and epoch, at the destination. */
  readonly from: Positions;
  /** What to store. Same keys as `from`. */
  readonly next: Positions;
  /** True where the transaction has rows: false for a commit that only moves positions. */
  readonly hasRows: boolean;
}

export interface SinkDefinition<Row> {
  readonly description: string;
  readonly capabilities: SinkCapabilities;
  readonly abilities?: SinkAbilities;
  connect(context: SinkContext): Promise<SinkDriver<Row>>;
}

/**
 * Makes a sink of its destination's side.
 * @example
 * export function redisSink(options: RedisSinkOptions): SinkConnector<Row> {
 *   return defineSink({ description: 'redis', capabilities, connect: (context) => connectRedis(options, context) });
 * }
 */
export function defineSink<Row>(definition: SinkDefinition<Row>): SinkConnector<Row> {
  const { description, capabilities, abilities = {} } = definition;
  return {
    description,
    capabilities,
    abilities,
    async open(context) {
      checkName('pipeline id', context.pipeline);
      checkName('sink name', context.sink);
      return openSink(capabilities, await driverCall(() => definition.connect(context)));
    },
  };
}
