/** Rows that a sink has set aside instead of stopping at them, as tools see them: `eos dead-letters`. */
import type { OpName } from './changes.js';
import type { PartitionId } from './identifiers.js';
import type { JsonValue } from './schema.js';

/** One row that was set aside. */
export interface DeadLetter {
  /** Names it within its (pipeline, sink). */
  readonly id: string;
  readonly partition: PartitionId;
  /** Where the row came from, where that is known. */
  readonly offset?: bigint;
  readonly op: OpName;
  /** The row as far as JSON can show it. */
  readonly row: JsonValue;
  /** Why: the code and message of the error, and the column where it has one. */
  readonly code: string;
  readonly message: string;
  readonly column?: string;
  readonly writtenAt: Date;
  /** Absent: it still waits. */
  readonly replayedAt?: Date;
}

export interface DeadLetterQuery {
  /** Only these. */
  readonly ids?: readonly string[];
  /** Only those of this partition. */
  readonly partition?: PartitionId;
  /** Those that were replayed, too. Default false. */
  readonly withReplayed?: boolean;
  /** At most so many, the oldest first. Default: all. */
  readonly limit?: number;
}

export interface DeadLetterReplay {
  /** Letters whose rows are in the destination now. */
  readonly replayed: number;
  /** Letters that were rejected again, and wait on. */
  readonly rejected: number;
}

/** The dead letters of one (pipeline, sink). */
export interface DeadLetters {
  /** Reads only; the oldest first. Memory holds a bounded number of them. */
  list(query?: DeadLetterQuery): AsyncIterable<DeadLetter>;
  /**
   * Writes the rows to the destination again, each exactly once however often this is tried or killed, and marks their letters.
   * @throws what a run throws, such as EOS_FENCED where another replay took over
   */
  replay(query?: DeadLetterQuery, signal?: AbortSignal): Promise<DeadLetterReplay>;
  close(): Promise<void>;
}
