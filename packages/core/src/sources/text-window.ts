/** A moving window over the bytes of a text, filled in chunks, one of them read ahead. */
import { isUtf8 } from 'node:buffer';
import { formatError, type Place, type Records } from './records.js';

/** Where the bytes of a text come from. */
export interface ByteInput {
  /** Puts up to `length` bytes into `buffer` from `at` on; 0 at the end of the text. One call at a time. */
  read(buffer: Buffer, at: number, length: number): Promise<number>;
}

export interface WindowOptions {
  /** Offset of the first byte of the text: 0, except where it continues the count of an earlier one. */
  readonly origin?: number;
  readonly chunkBytes: number;
  readonly maxRecordBytes: number;
}

interface Chunk {
  readonly buffer: Buffer;
  readonly length: number;
}

/**
 * `buffer[start … end)` is what was read and not yet taken. Two buffers take turns: while one is parsed, the next chunk is read
 * into the other, behind a headroom for the record that the chunk's end cut in two. So memory holds four times `chunkBytes`, or,
 * where a record is larger than that, four times the record.
 */
export class TextWindow {
  buffer: Buffer = Buffer.alloc(0);
  start = 0;
  end = 0;
  /** True when nothing comes behind `end`. */
  isEnd = false;
  /** Offset in the text of `buffer[0]`. Negative while the text's start lies behind a headroom. */
  base: number;
  #ahead: Promise<Chunk> | undefined;
  #spare: Buffer | undefined;

  constructor(
    readonly input: ByteInput,
    offset: number,
    readonly place: Place,
    readonly options: WindowOptions,
  ) {
    this.base = offset;
  }

  /** Whether `start` is where the text begins. */
  get isOrigin(): boolean {
    return this.base + this.start === (this.options.origin ?? 0);
  }

  /** The offset in the text of an index of the buffer. */
  offsetOf(index: number): number {
    return this.base + index;
  }

  /**
   * Adds the next chunk behind what is left. Called only when what is left holds no whole record.
   * @throws EOS_SOURCE_FORMAT where it is longer than a record may be
   */
  async more(): Promise<void> {
    if (this.isEnd) return;
    const left = this.end - this.start;
    this.#checkLength(left);
    this.#ahead ??= this.#read(left);
    const { buffer, length } = await this.#ahead;
    this.#ahead = undefined;
    if (length === 0) {
      this.isEnd = true;
      return;
    }
    const { chunkBytes } = this.options;
    const base = this.base + this.start;
    if (left <= chunkBytes) {
      this.buffer.copy(buffer, chunkBytes - left, this.start, this.end);
      this.#take(buffer, chunkBytes - left, chunkBytes + length, base);
    } else {
      const joined = Buffer.allocUnsafe(left + length);
      this.buffer.copy(joined, 0, this.start, this.end);
      buffer.copy(joined, left, chunkBytes, chunkBytes + length);
      this.#take(joined, 0, left + length, base);
    }
    this.#ahead = this.#read(left);
    // Awaited by the next call; a reader that is closed before has no use for the failure.
    this.#ahead.catch(() => undefined);
  }

  /**
   * Checks that what was taken, `buffer[start … records.next)`, is UTF-8: decoding would replace what is not without a word.
   * @throws EOS_SOURCE_FORMAT naming the record
   */
  checkText(records: Records<unknown>): void {
    if (isUtf8(this.buffer.subarray(this.start, records.next))) return;
    let index = 0;
    while (index + 1 < records.count && isUtf8(this.buffer.subarray(this.start, records.start(index + 1))))
      index++;
    const at = records.count === 0 ? this.start : records.start(index);
    throw formatError({ ...this.place, offset: this.offsetOf(at) }, 'the text is not UTF-8');
  }

  #take(buffer: Buffer, start: number, end: number, offset: number): void {
    // A buffer that was made for one large record is not kept.
    this.#spare = this.buffer.length === 2 * this.options.chunkBytes ? this.buffer : undefined;
    this.buffer = buffer;
    this.start = start;
    this.end = end;
    this.base = offset - start;
  }

  /** Reads as much again as a cut record has so far, so that the work for a large one grows with its size only. */
  async #read(left: number): Promise<Chunk> {
    const { chunkBytes } = this.options;
    const wanted = left <= chunkBytes ? chunkBytes : left;
    const reusable = wanted === chunkBytes ? this.#spare : undefined;
    this.#spare = undefined;
    const buffer = reusable ?? Buffer.allocUnsafeSlow(chunkBytes + wanted);
    return { buffer, length: await this.input.read(buffer, chunkBytes, wanted) };
  }

  #checkLength(length: number): void {
    const { maxRecordBytes } = this.options;
    if (length <= maxRecordBytes) return;
    const place = { ...this.place, offset: this.offsetOf(this.start) };
    throw formatError(place, `a record is larger than maxRecordBytes (${maxRecordBytes})`, {
      expected: maxRecordBytes,
    });
  }
}
