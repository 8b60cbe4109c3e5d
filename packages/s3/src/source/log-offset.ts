/** Offsets of rows in a log: the number of the entry, and of the row within it, in one number that ascends. */

/** An entry holds fewer rows than this, and a log half as many entries. */
const ROWS_OF_ENTRY = 2n ** 32n;

/** A row: the `row`-th, from 0, of all files of entry `seq`. */
export interface LogPlace {
  readonly seq: bigint;
  readonly row: number;
}

/** The offset of a row; of row 0 also that of its entry. */
export function logOffset({ seq, row }: LogPlace): bigint {
  return seq * ROWS_OF_ENTRY + BigInt(row);
}

/** The row that {@link logOffset} stands for. */
export function logPlace(offset: bigint): LogPlace {
  return { seq: offset / ROWS_OF_ENTRY, row: Number(offset % ROWS_OF_ENTRY) };
}

/** The offsets of `count` rows from `first` on. */
export function logOffsets(first: LogPlace, count: number): BigInt64Array {
  const offsets = new BigInt64Array(count);
  const base = logOffset(first);
  for (let index = 0; index < count; index += 1) offsets[index] = base + BigInt(index);
  return offsets;
}
