/** Rows on their way to a COPY: encoded in blocks, and found again when the server rejects one. */
import { isEosError, type ChangeBatch } from '@eos/core';
import type { Reject } from '../bad-rows/bad-rows.js';
import { NEWLINE } from './copy-text.js';
import { placedIn } from './sent-rows.js';
import type { TextBuffer } from './text-buffer.js';

/** Adds one row as the fields of one line. */
export type AddRow<Row> = (buffer: TextBuffer, row: Row, index: number) => void;

/** Some rows of a batch: those at `places`, or all. */
export interface RowRange<Row> {
  readonly batch: ChangeBatch<Row>;
  readonly places: Uint32Array | undefined;
}

/** What is done about a row that is found bad here. */
export interface BadRowHandling<Row> {
  readonly reject: Reject<Row>;
  /** The row of the batch that counts where the one at `index` does not. */
  readonly instead?: (batch: ChangeBatch<Row>, index: number) => number | undefined;
}

/**
 * Adds rows to the buffer, and hands it out each time it is full.
 * @throws EOS_ROW with partition, offset and column, unless bad rows are handled
 */
export async function sendRows<Row>(
  buffer: TextBuffer,
  { batch, places }: RowRange<Row>,
  add: AddRow<Row>,
  send: (block: Buffer) => Promise<void> | undefined,
  bad?: BadRowHandling<Row>,
): Promise<void> {
  const count = places?.length ?? batch.rows.length;
  for (let at = 0; at < count; at += 1) {
    const place = places?.[at] ?? at;
    if (bad === undefined) addLine(buffer, batch, place, add);
    else addGoodLine(buffer, batch, { place, add, bad });
    if (buffer.isFull) await send(buffer.take());
  }
}

function addLine<Row>(buffer: TextBuffer, batch: ChangeBatch<Row>, index: number, add: AddRow<Row>): void {
  try {
    // Every place lies within the batch.
    add(buffer, batch.rows[index] as Row, index);
  } catch (error) {
    throw isEosError(error) ? placedIn(error, batch, index) : error;
  }
  buffer.addByte(NEWLINE);
}

interface Line<Row> {
  readonly place: number;
  readonly add: AddRow<Row>;
  readonly bad: BadRowHandling<Row>;
}

/** Adds a row, or the one that counts in its stead, or none. */
function addGoodLine<Row>(buffer: TextBuffer, batch: ChangeBatch<Row>, { place, add, bad }: Line<Row>): void {
  const { reject, instead } = bad;
  for (let index: number | undefined = place; index !== undefined; index = instead?.(batch, index)) {
    const { mark } = buffer;
    try {
      addLine(buffer, batch, index, add);
      return;
    } catch (error) {
      if (!isEosError(error, 'EOS_ROW')) throw error;
      buffer.cut(mark);
      reject(error, batch, index);
    }
  }
}
