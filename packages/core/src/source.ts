/** The port for sources: what a reader of rows owes to the runner. */
import type { SourceAbilities } from './abilities.js';
import type { ChangeBatch } from './changes.js';
import type { ChangelogMode } from './changelog.js';
import type { PartitionId } from './identifiers.js';
import type { Advance, Positions, SourceIdentity } from './positions.js';

/**
 * A batch as a source hands it out. Every row has its offset, ascending; rows of the same offset were made of one record, and are
 * never in two batches.
 */
export interface SourceBatch<Row> extends ChangeBatch<Row> {
  readonly offsets: BigInt64Array;
  /** Where reading starts again after the last row of this batch: at or behind it, never between two of its rows. */
  readonly next: bigint;
  /** About how many bytes the rows took in the source: feeds the byte trigger. */
  readonly bytes: number;
  /** What `next` counts in. Called at most once a commit, at any time before the reader is closed. */
  identity(): Promise<SourceIdentity>;
}

export interface ReadLimit {
  /** A batch holds at most this many rows (≥ 1), but that the rows of one record come together. */
  readonly rows: number;
}

export interface Source<Row> {
  /** For messages: kind and place, such as `ndjson flights.ndjson`. Never a secret. */
  readonly description: string;
  readonly changelog: ChangelogMode;
  /** Whether reading can start again at a stored offset. False (standard input): what was read and not committed is lost. */
  readonly replayable: boolean;
  /** What tools such as the `eos` command may ask. */
  readonly abilities?: SourceAbilities;
  /**
   * What to read, one assignment after the other: the next is asked for when the last one ended or was revoked. A source of many
   * files gives a bounded group of them each; a consumer group gives one assignment per rebalance.
   */
  assignments(context: SourceContext): AsyncIterable<Assignment<Row>>;
  /**
   * What a position at `mark` would be, for rows that another program has taken so far. Absent: the source cannot tell, and who
   * adopts has to say what the offset counts in.
   * @throws EOS_CONFIG where the partition has no such place between two rows
   */
  locate?(partition: PartitionId, mark: Mark, context: SourceContext): Promise<Located>;
}

/** A place in a partition: an offset, or behind that many rows (≥ 1). */
export type Mark = { readonly offset: bigint } | { readonly rows: bigint };

/** An offset with what it counts in. */
export type Located = Pick<Advance, 'offset' | 'source'>;

export interface SourceContext {
  readonly pipeline: string;
  readonly signal: AbortSignal;
}

export interface Assignment<Row> {
  readonly partitions: readonly PartitionId[];
  /** Aborted when the partitions were taken away (a rebalance): the transaction is rolled back and the next assignment is asked for. */
  readonly revoked?: AbortSignal;
  /**
   * Only where a group shares out the partitions. Called when another session has claimed one of them (law 4): this assignment is over, and
   * the next one asked for must be what the group assigns *then*, whether or not it is the same. Absent: to be fenced ends the run.
   */
  readonly rejoin?: () => void;
  /**
   * Starts reading at the stored positions (offset null or partition absent: at the start), after judging that the source is still
   * the one they count in. Called again after every recover; the reader before it was closed.
   * @throws EOS_SOURCE_CHANGED where the source was replaced or truncated since
   */
  open(positions: Positions, signal: AbortSignal): Promise<SourceReader<Row>>;
}

export interface SourceReader<Row> {
  /** The next rows of one partition; undefined at the end of the assignment. May wait as long as the source is idle. */
  read(limit: ReadLimit): Promise<SourceBatch<Row> | undefined>;
  /** Frees what was opened; a pending `read` ends. Never throws on a closed reader. */
  close(): Promise<void>;
}
