/** Where a text begins, and where an earlier run stopped in it. */
import { EosError } from '../errors.js';
import type { Place } from './records.js';
import type { TextWindow } from './text-window.js';

const NEWLINE = 10;
const RETURN = 13;

/** The index of the first record's text: a text may start with a byte order mark, EF BB BF. */
export function skipByteOrderMark(text: TextWindow, window: Buffer): number {
  const { start } = text;
  const isMarked =
    text.isOrigin && window[start] === 0xef && window[start + 1] === 0xbb && window[start + 2] === 0xbf;
  return isMarked ? start + 3 : start;
}

/**
 * The record before the stored position ended with the file, which was said to be complete. A newline may have been added since,
 * and more records; anything else means that half a record was read as a whole one.
 * @returns where the next record starts; undefined as long as there is no text
 * @throws EOS_SOURCE_CHANGED
 */
export function skipLineEnd(text: TextWindow, place: Place): number | undefined {
  const { buffer, start, end, isEnd } = text;
  if (start === end) return undefined;
  if (buffer[start] === NEWLINE) return start + 1;
  if (buffer[start] === RETURN && start + 1 === end && !isEnd) return undefined;
  if (buffer[start] === RETURN && (start + 1 === end || buffer[start + 1] === NEWLINE))
    return Math.min(start + 2, end);
  const offset = text.offsetOf(start);
  throw new EosError(
    'EOS_SOURCE_CHANGED',
    `partition ${place.partition}: the last record ended at offset ${offset} without a newline and was read as complete, but the ` +
      `text goes on there: half a record was read. Take it back at the destination, and set growing: true on the source`,
    { details: { partition: place.partition, offset: BigInt(offset), differs: 'end' } },
  );
}
