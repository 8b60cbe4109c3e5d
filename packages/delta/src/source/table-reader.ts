/** Reads the changes of a table, batch by batch. */
import {
  Interruption,
  type PartitionId,
  type ReadLimit,
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
  readonly #interruption: Interruption;
  readonly #stop = new AbortController();
  readonly #pieces: AsyncGenerator<Piece, void>;
  readonly #snapshot: Version | undefined;
  #piece: Piece | undefined;
  #taken = 0;
  #pending: Promise<IteratorResult<Piece, void>> | undefined;

  constructor(
    private readonly reading: TableReading,
    signal: AbortSignal,
  ) {
    this.#interruption = new Interruption(signal);
    this.#pieces = piecesOf({ ...reading, signal: this.#stop.signal });
    this.#snapshot = reading.start.snapshot;
  }

  async read({ rows: limit }: ReadLimit): Promise<SourceBatch<TableRow> | undefined> {
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

  #batch(piece: Piece, limit: number): SourceBatch<TableRow> {
    const { version, digest, table, rows: all, ops } = piece;
    const from = this.#taken;
    const to = Math.min(all.length, from + limit);
    this.#taken = to;
    const isEmptied = to === all.length;
    if (isEmptied) this.#piece = undefined;
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
