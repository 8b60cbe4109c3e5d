/** Rows that a generator reads piece by piece, taken in batches of any size. */
import { Interruption } from './interruption.js';

export interface RowsTaken<Piece> {
  readonly piece: Piece;
  /** Which of the piece's rows: the first, and the one behind the last. */
  readonly from: number;
  readonly to: number;
  /** Whether these are the last of the piece. */
  readonly isEmptied: boolean;
}

/** For readers of a source that come by many rows at once. Memory: one piece. */
export class RowPieces<Piece extends { readonly rows: readonly unknown[] }> {
  readonly #interruption: Interruption;
  readonly #stop = new AbortController();
  readonly #pieces: AsyncGenerator<Piece, void>;
  #piece: Piece | undefined;
  #taken = 0;
  #pending: Promise<IteratorResult<Piece, void>> | undefined;

  /**
   * @param read is given a signal that `close` sends, and not the one of this constructor
   * @param signal ends a wait for the next piece
   */
  constructor(read: (signal: AbortSignal) => AsyncGenerator<Piece, void>, signal: AbortSignal) {
    this.#interruption = new Interruption(signal);
    this.#pieces = read(this.#stop.signal);
  }

  /**
   * The next rows, all of one piece and at most `limit` of them; `undefined` at the end.
   * @throws EOS_ABORTED, EOS_CLOSED, and what `read` throws
   */
  async take(limit: number): Promise<RowsTaken<Piece> | undefined> {
    this.#interruption.check();
    if (this.#piece === undefined) {
      this.#pending ??= this.#pieces.next();
      const result = await this.#interruption.wait(this.#pending);
      this.#pending = undefined;
      this.#piece = result.done === true ? undefined : result.value;
      this.#taken = 0;
    }
    const piece = this.#piece;
    if (piece === undefined) return undefined;
    const from = this.#taken;
    const to = Math.min(piece.rows.length, from + limit);
    this.#taken = to;
    const isEmptied = to === piece.rows.length;
    if (isEmptied) this.#piece = undefined;
    return { piece, from, to, isEmptied };
  }

  /** Waits for nothing: what is under way ends at its next wait, and nobody asks for it any more. */
  close(): void {
    this.#interruption.close();
    this.#stop.abort();
    this.#pending?.catch(() => undefined);
    this.#pieces.return(undefined).catch(() => undefined);
  }
}
