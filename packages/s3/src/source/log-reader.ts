/** Reads a followed log, batch by batch. */
import {
  canonicalText,
  EosError,
  RowPieces,
  type PartitionId,
  type ReadLimit,
  type RowsTaken,
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
  readonly #pieces: RowPieces<Piece>;

  constructor(
    private readonly reading: LogReading,
    signal: AbortSignal,
  ) {
    this.#pieces = new RowPieces((stop) => piecesOf({ ...reading, signal: stop }), signal);
  }

  async read({ rows: limit }: ReadLimit): Promise<SourceBatch<Row> | undefined> {
    const taken = await this.#pieces.take(limit);
    return taken && this.#batch(taken);
  }

  async close(): Promise<void> {
    this.#pieces.close();
    await this.reading.close();
  }

  #batch({ piece, from, to, isEmptied }: RowsTaken<Piece>): SourceBatch<Row> {
    const { commit, ops, bytes } = piece;
    const count = to - from;
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
