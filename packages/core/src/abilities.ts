/**
 * What a source or a destination can tell a tool, beside the work of a pipeline. Each ability is optional. Replay of dead
 * letters, compaction and vacuum apart, they read only, claim nothing and make nothing: `eos status` may look at a pipeline that runs, or never ran.
 */
import type { DeadLetters } from './dead-letters.js';
import type { PartitionId } from './identifiers.js';
import type { Position, Positions } from './positions.js';
import type { OpenTransactions } from './open-transactions.js';
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
  /**
   * The transactions that are open at the destination. Opens a connection, which `close` ends.
   * @throws EOS_UNAVAILABLE, EOS_PERMISSION
   */
  readonly transactions?: (context: SinkContext) => Promise<OpenTransactions>;
  /**
   * Merges the small files of a destination, and applies its deletes. Disturbs neither positions nor writers.
   * @throws EOS_UNAVAILABLE, retryable, where another one was faster; EOS_CONFIG where the destination cannot be compacted, or not sorted
   */
  readonly compact?: (context: SinkContext, options: CompactOptions) => Promise<CompactReport>;
  /**
   * Deletes files that the destination does not need any more. Never what a running writer may still commit.
   * @throws EOS_UNAVAILABLE, EOS_PERMISSION, EOS_FORMAT
   */
  readonly vacuum?: (context: SinkContext, options: MaintenanceOptions) => Promise<VacuumReport>;
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

/** What maintenance of a destination made of files is told. */
export interface MaintenanceOptions {
  /** Only say what would be done. */
  readonly dryRun: boolean;
  /** Aborted: it stops where that is safe, with EOS_ABORTED. */
  readonly signal?: AbortSignal;
}

export interface CompactOptions extends MaintenanceOptions {
  /** Columns by which the rows of each file are sorted, so that readers who look for ranges of them skip more. All files are written again then. */
  readonly sortBy?: readonly string[];
}

/** How much a destination of files holds. */
export interface FileTotals {
  readonly files: number;
  readonly bytes: number;
  /** Rows of all files, changes of a changelog counted each. */
  readonly rows: number;
}

export interface CompactReport {
  readonly before: FileTotals;
  /** Equal to `before` where there was nothing to do, and in a dry run. */
  readonly after: FileTotals;
  /** The last entry of the log, or version, that was compacted. */
  readonly upTo: bigint;
  readonly dryRun: boolean;
}

export interface VacuumReport {
  /** Only what writers began before this entry of the log, or version, was looked at. */
  readonly floor: bigint;
  /** Files that were deleted, or would be. */
  readonly files: number;
  readonly bytes: number;
  /** Unfinished uploads that were given up, or would be. */
  readonly uploads: number;
  readonly dryRun: boolean;
}
