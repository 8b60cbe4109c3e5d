/** Rows as lines of text in a block of bytes (see `TableSnapshot` of @eos/core). */
import type { PartitionId } from '@eos/core';

/** Lines that the destination should hold, and where they come from. */
export interface ExpectedLines {
  readonly lines: Uint8Array;
  readonly count: number;
  /** One op a line; absent: all are `+I`. */
  readonly ops?: Uint8Array;
  readonly partition: PartitionId;
  /** The offset of each line, where it is known. */
  readonly offsets?: BigInt64Array;
  /** The offsets that all of them lie in: from … next - 1. */
  readonly from: bigint;
  readonly next: bigint;
}

const NEWLINE = 0x0a;
const TAB = 0x09;

/** Visits each line, as `bytes[start … end)` without its newline. */
export function eachLine(
  bytes: Uint8Array,
  visit: (start: number, end: number, index: number) => void,
): void {
  let start = 0;
  for (let index = 0; start < bytes.length; index++) {
    const end = bytes.indexOf(NEWLINE, start);
    if (end === -1) throw new Error('a block of rows ends in the middle of a line');
    visit(start, end, index);
    start = end + 1;
  }
}

/** Where the first `columns` fields of a line end; without any the whole line is its own key. */
export function keyEnd(bytes: Uint8Array, start: number, end: number, columns: number): number {
  if (columns === 0) return end;
  let left = columns;
  for (let at = start; at < end; at++) if (bytes[at] === TAB && --left === 0) return at;
  return end;
}
