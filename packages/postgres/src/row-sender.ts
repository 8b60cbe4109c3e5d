/** Rows on their way to the server: encoded in slices, sent by one COPY, and found again when the server rejects one. */
import { isEosError, type ChangeBatch } from '@eos/core';
import type { Link } from './connection.js';
import { startCopy } from './copy-stream.js';
import { placedIn, sentRows } from './sent-rows.js';

/** How many characters are sent at a time: enough for few system calls, and few enough that the server starts early. */
const SLICE = 65_536;

export interface RowSender {
  /**
   * Sends the rows at `places` of a batch, or all of them, one line each.
   * @throws EOS_ROW with partition, offset and column; and what the server made of earlier rows
   */
  send<Row>(
    batch: ChangeBatch<Row>,
    places: Uint32Array | undefined,
    line: (row: Row, index: number) => string,
  ): Promise<void>;
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
  let text = '';
  const explain = (error: unknown): never => {
    throw sent.explain(error, table);
  };

  return {
    async send(batch, places, line) {
      sent.add(batch, places);
      const count = places?.length ?? batch.rows.length;
      for (let at = 0; at < count; at += 1) {
        text += encoded(batch, places?.[at] ?? at, line);
        if (text.length < SLICE) continue;
        const slice = text;
        text = '';
        await copy.send(slice)?.catch(explain);
      }
    },
    async finish(following) {
      await copy.finish(text, following).catch(explain);
    },
    explain,
    abandon: () => copy.abandon(),
  };
}

function encoded<Row>(
  batch: ChangeBatch<Row>,
  index: number,
  line: (row: Row, index: number) => string,
): string {
  try {
    // Every place lies within the batch.
    return `${line(batch.rows[index] as Row, index)}\n`;
  } catch (error) {
    throw isEosError(error) ? placedIn(error, batch, index) : error;
  }
}
