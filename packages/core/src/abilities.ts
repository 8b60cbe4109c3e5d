/**
 * What a source or a destination can tell a tool, beside the work of a pipeline. Each ability is optional. All but the
 * replay of dead letters read only, claim nothing and make nothing: `eos status` may look at a pipeline that runs, or never ran.
 */
import type { DeadLetters } from './dead-letters.js';
import type { PartitionId } from './identifiers.js';
import type { Position, Positions } from './positions.js';
import type { SinkContext } from './sink.js';
import type { ReadTableOptions, TableSnapshot } from './table-reader.js';

export interface SinkAbilities {
  /**
   * Where each partition of this (pipeline, sink) stands; empty where nothing was ever claimed. Opens and closes a connection of its
   * own.
   * @throws EOS_UNAVAILABLE, EOS_PERMISSION, EOS_FORMAT
   */
  readonly status?: (context: SinkContext) => Promise<SinkStatus>;
  /**
   * Takes a snapshot of the destination, rows and positions, to hold it against its source.
   * @throws EOS_UNAVAILABLE, EOS_PERMISSION, EOS_FORMAT, EOS_SCHEMA, EOS_TARGET_CHANGED; EOS_CONFIG for a key that there is not
   */
  readonly readTable?: (context: SinkContext, options?: ReadTableOptions) => Promise<TableSnapshot>;
  /**
   * The rows that were set aside. Opens a connection, which `close` ends.
   * @throws EOS_UNAVAILABLE, EOS_PERMISSION, EOS_FORMAT
   */
  readonly deadLetters?: (context: SinkContext) => Promise<DeadLetters>;
}

export type SinkStatus = ReadonlyMap<PartitionId, PartitionStatus>;

/** What a destination knows of one partition. What it does not keep is undefined. */
export interface PartitionStatus {
  readonly position: Position;
  /** When the last commit was made, by the destination's clock. For people: nothing is decided by it. */
  readonly committedAt?: Date;
  /** The oldest commit whose position is still kept, to tell a rate by. */
  readonly earlier?: { readonly offset: bigint; readonly epoch: bigint; readonly committedAt: Date };
  /** Whether the session that claimed the partition last is connected now. */
  readonly isConnected?: boolean;
}

export interface SourceAbilities {
  /** How much there is to read behind `positions`, for every partition there is now. */
  readonly lag?: (positions: Positions) => Promise<ReadonlyMap<PartitionId, SourceLag>>;
}

/** How much of one partition is still to be read. */
export interface SourceLag {
  /** What offsets count. */
  readonly unit: 'bytes' | 'rows';
  /** How many of them lie behind the position; undefined where that cannot be told without reading. */
  readonly behind: bigint | undefined;
  /** How many the whole partition has now; undefined where that cannot be told without reading. */
  readonly total: bigint | undefined;
}
