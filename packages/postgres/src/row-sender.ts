/** Rows on their way to a COPY: encoded in blocks, and found again when the server rejects one. */
import { isEosError, type ChangeBatch } from '@eos/core';
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

/**
 * Adds rows to the buffer, and hands it out each time it is full.
 * @throws EOS_ROW with partition, offset and column
 */
export async function sendRows<Row>(
  buffer: TextBuffer,
  { batch, places }: RowRange<Row>,
  add: AddRow<Row>,
  send: (block: Buffer) => Promise<void> | undefined,
): Promise<void> {
  const count = places?.length ?? batch.rows.length;
  for (let at = 0; at < count; at += 1) {
    addLine(buffer, batch, places?.[at] ?? at, add);
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
