/** Rows on their way to the server: encoded in blocks, sent by one COPY, and found again when the server rejects one. */
import { isEosError, type ChangeBatch } from '@eos/core';
import type { Link } from './connection.js';
import { startCopy } from './copy-stream.js';
import { NEWLINE } from './copy-text.js';
import { placedIn, sentRows } from './sent-rows.js';
import { TextBuffer } from './text-buffer.js';

/** Adds one row as the fields of one line. */
export type AddRow<Row> = (buffer: TextBuffer, row: Row, index: number) => void;

export interface RowSender {
  /**
   * Sends the rows at `places` of a batch, or all of them, one line each.
   * @throws EOS_ROW with partition, offset and column; and what the server made of earlier rows
   */
  send<Row>(batch: ChangeBatch<Row>, places: Uint32Array | undefined, add: AddRow<Row>): Promise<void>;
  /** Ends the rows and carries out `following`, in one round trip. */
  finish(following?: string): Promise<void>;
  /** Throws what an error of the server means, with the row that it is about where that is known. */
  readonly explain: (error: unknown) => never;
  abandon(): Promise<void>;
}

/** Begins `statements`, which end in a COPY into `table`. */
export function rowSender(link: Link, statements: string, table: string): RowSender {
  const copy = startCopy(link, statements);
  const sent = sentRows();
  const buffer = new TextBuffer();
  const explain = (error: unknown): never => {
    throw sent.explain(error, table);
  };

  return {
    async send(batch, places, add) {
      sent.add(batch, places);
      const count = places?.length ?? batch.rows.length;
      for (let at = 0; at < count; at += 1) {
        addLine(buffer, batch, places?.[at] ?? at, add);
        if (buffer.isFull) await copy.send(buffer.take())?.catch(explain);
      }
    },
    async finish(following) {
      await copy.finish(buffer.isEmpty ? undefined : buffer.take(), following).catch(explain);
    },
    explain,
    abandon: () => copy.abandon(),
  };
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
