/** Reads a followed log, batch by batch. */
import {
  canonicalText,
  EosError,
  Interruption,
  type PartitionId,
  type ReadLimit,
  type SourceBatch,
  type SourceIdentity,
  type SourceReader,
} from '@eos/core';
import { commitRows, visibilityOf, type CommitReading, type CommitRows } from './commit-rows.js';
import { followCommits, type FollowedCommit } from './followed-log.js';
import { logOffset, logOffsets, type LogPlace } from './log-offset.js';

type Row = Record<string, unknown>;

export interface LogReading extends Omit<CommitReading, 'signal'> {
  readonly partition: PartitionId;
  readonly scope: string;
  readonly start: LogPlace;
  readonly changelog: 'append' | 'upsert';
  /** Called once, when reading ends. */
  readonly close: () => Promise<void>;
}

/** Rows on their way from a file to batches. */
interface Piece extends CommitRows {
  readonly commit: FollowedCommit;
}

/** Memory: a batch of rows, and what reading a file holds. */
export class LogReader implements SourceReader<Row> {
  readonly #interruption: Interruption;
  readonly #stop = new AbortController();
  readonly #pieces: AsyncGenerator<Piece, void>;
  #piece: Piece | undefined;
  #taken = 0;
  #pending: Promise<IteratorResult<Piece, void>> | undefined;

  constructor(
    private readonly reading: LogReading,
    signal: AbortSignal,
  ) {
    this.#interruption = new Interruption(signal);
    this.#pieces = piecesOf({ ...reading, signal: this.#stop.signal });
  }

  async read({ rows: limit }: ReadLimit): Promise<SourceBatch<Row> | undefined> {
    this.#interruption.check();
    if (this.#piece === undefined) {
      this.#pending ??= this.#pieces.next();
      const result = await this.#interruption.wait(this.#pending);
      this.#pending = undefined;
      this.#piece = result.done === true ? undefined : result.value;
      this.#taken = 0;
    }
    return this.#piece && this.#batch(this.#piece, limit);
  }

  async close(): Promise<void> {
    this.#interruption.close();
    this.#stop.abort();
    // What is under way ends with the store, or at its next wait; nobody asks for it any more.
    this.#pending?.catch(() => undefined);
    this.#pieces.return(undefined).catch(() => undefined);
    await this.reading.close();
  }

  #batch(piece: Piece, limit: number): SourceBatch<Row> {
    const { commit, ops, bytes } = piece;
    const from = this.#taken;
    const to = Math.min(piece.rows.length, from + limit);
    const count = to - from;
    this.#taken = to;
    const isEmptied = to === piece.rows.length;
    if (isEmptied) this.#piece = undefined;
    const { seq } = commit;
    const first = { seq, row: piece.row + from };
    const next = isEmptied && piece.isLast ? { seq: seq + 1n, row: 0 } : { seq, row: piece.row + to };
    const identity = identityOf(commit, this.reading.scope);
    return {
      partition: this.reading.partition,
      rows: count === piece.rows.length ? piece.rows : piece.rows.slice(from, to),
      ...(ops === undefined ? {} : { ops: ops.subarray(from, to) }),
      offsets: logOffsets(first, count),
      next: logOffset(next),
      bytes: Math.ceil((bytes * count) / piece.rows.length),
      identity: async () => identity,
    };
  }
}

async function* piecesOf(reading: LogReading & CommitReading): AsyncGenerator<Piece, void> {
  const { place, start, changelog } = reading;
  for await (const commit of followCommits(place, start.seq, reading)) {
    checkMode(commit, changelog);
    const visibility = await visibilityOf(commit, reading);
    if (visibility === 'not yet') return;
    if (visibility === 'revoked') continue;
    const from = commit.seq === start.seq ? start.row : 0;
    for await (const rows of commitRows(commit, from, reading)) yield { ...rows, commit };
  }
}

/** The entry that was read last, by which a log that went back is told from the one that was read. */
function identityOf({ seq, state, entry }: FollowedCommit, scope: string): SourceIdentity {
  return {
    kind: 's3-log',
    target: state.table?.target ?? '',
    scope,
    entry: seq.toString(),
    nonce: entry.nonce,
  };
}

/** @throws EOS_CONFIG */
function checkMode({ state }: FollowedCommit, changelog: 'append' | 'upsert'): void {
  const mode = state.table?.mode;
  if (mode === changelog) return;
  throw new EosError(
    'EOS_CONFIG',
    `changelog: the table was made with mode: ${canonicalText(mode ?? null)}, and is read with changelog: '${changelog}'`,
    { details: { option: 'changelog' } },
  );
}
