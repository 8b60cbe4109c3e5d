/** How rows get into a segment: encoded, and without those that are found bad here. */
import { isEosError, type ChangeBatch } from '@eos/core';
import type { Reject } from './bad-rows.js';
import { NEWLINE } from '../copy/copy-text.js';
import type { AddRow } from '../copy/row-sender.js';
import type { Segment } from './segment.js';
import type { SegmentSize } from './segment-size.js';
import { placedIn } from '../copy/sent-rows.js';
import { HEAD_BYTES, ROOM_BYTES, TextBuffer } from '../copy/text-buffer.js';

/** Fills the segments of a transaction, one after the other. */
export class SegmentEncoder<Row> {
  readonly #buffer = new TextBuffer();
  /** About how many bytes a row takes. */
  #rowBytes = Infinity;

  constructor(
    private readonly add: AddRow<Row>,
    private readonly size: SegmentSize,
    private readonly reject: Reject<Row>,
  ) {}

  /**
   * Adds rows of a batch from `start` on until a block or the segment is full. Returns the first row that is not in it.
   * @throws what `reject` throws
   */
  fill(segment: Segment<Row>, batch: ChangeBatch<Row>, start: number): number {
    const { size } = this;
    const buffer = this.#buffer;
    buffer.room = Math.min(ROOM_BYTES, HEAD_BYTES + Math.ceil(1.1 * size.rows * this.#rowBytes));
    const last = Math.min(batch.rows.length, start + Math.max(1, size.rows - segment.lines));
    let first = start;
    let index = start;
    for (; index < last && !buffer.isFull; index += 1) {
      const { mark } = buffer;
      try {
        // The index lies within the batch.
        this.add(buffer, batch.rows[index] as Row, index);
        buffer.addByte(NEWLINE);
      } catch (error) {
        if (!isEosError(error, 'EOS_ROW')) throw error;
        buffer.cut(mark);
        segment.add(batch, first, index - first);
        first = index + 1;
        this.reject(placedIn(error, batch, index), batch, index);
      }
    }
    segment.add(batch, first, index - first);
    if (segment.lines >= size.rows) this.end(segment);
    else if (buffer.isFull) segment.blocks.push(buffer.take());
    return index;
  }

  /** No more rows come to the segment that was filled last. */
  end(segment: Segment<Row>): void {
    const rest = this.#buffer.takeRest();
    if (rest !== undefined) segment.blocks.push(rest);
    segment.isWhole = true;
    const bytes = segment.blocks.reduce((sum, { length }) => sum + length, 0);
    if (segment.lines > 0) this.#rowBytes = bytes / segment.lines;
  }
}
