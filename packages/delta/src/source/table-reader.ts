/** Reads the changes of a table, batch by batch. */
import {
  RowPieces,
  type PartitionId,
  type ReadLimit,
  type RowsTaken,
  type SourceBatch,
  type SourceReader,
} from '@eos/core';
import type { Version } from '../log/actions.js';
import type { TableRow } from '../table/file-rows.js';
import { identityOf } from './source-identity.js';
import { piecesOf, type Piece, type Pieces } from './table-pieces.js';
import { changeOffsets, versionOffset } from './version-offset.js';

export interface TableReading extends Omit<Pieces, 'signal'> {
  readonly partition: PartitionId;
  /** Called once, when reading ends. */
  readonly close: () => Promise<void>;
}

/** About how many bytes a value takes in a file. */
const VALUE_BYTES = 8;

/** Memory: a batch of rows, and what reading a file holds. */
export class TableChangesReader implements SourceReader<TableRow> {
  readonly #pieces: RowPieces<Piece>;
  readonly #snapshot: Version | undefined;

  constructor(
    private readonly reading: TableReading,
    signal: AbortSignal,
  ) {
    this.#pieces = new RowPieces((stop) => piecesOf({ ...reading, signal: stop }), signal);
    this.#snapshot = reading.start.snapshot;
  }

  async read({ rows: limit }: ReadLimit): Promise<SourceBatch<TableRow> | undefined> {
    const taken = await this.#pieces.take(limit);
    return taken && this.#batch(taken);
  }

  async close(): Promise<void> {
    this.#pieces.close();
    await this.reading.close();
  }

  #batch({ piece, from, to, isEmptied }: RowsTaken<Piece>): SourceBatch<TableRow> {
    const { version, digest, table, rows: all, ops } = piece;
    const rows = to - from === all.length ? all : all.slice(from, to);
    const isEnd = isEmptied && piece.isLast;
    const next = isEnd ? { version: version + 1, index: 0 } : { version, index: piece.index + to };
    // Behind the snapshot it does not matter any more where reading began.
    const snapshot = next.version === this.#snapshot ? this.#snapshot : undefined;
    const identity = identityOf(table, { version, digest, snapshot });
    const some = ops.subarray(from, to);
    return {
      partition: this.reading.partition,
      rows,
      ...(some.every((op) => op === 0) ? {} : { ops: some }),
      offsets: changeOffsets({ version, index: piece.index + from }, to - from),
      next: versionOffset(next),
      bytes: rows.length * VALUE_BYTES * Math.max(1, Object.keys(rows[0] ?? {}).length),
      identity: async () => identity,
    };
  }
}
