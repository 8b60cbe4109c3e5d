/** Finds by reading where another program has come to, and what that offset counts in. */
import { EosError } from '../errors.js';
import type { PartitionId } from '../identifiers.js';
import type { Assignment, Located, Mark, SourceBatch, SourceReader } from '../source.js';

/** How many rows are read at a time, and held. */
const ROWS = 10_000;

/**
 * Reads the one partition of `assignment` from its start up to `mark`: so the offset is known to lie between two rows, and its
 * identity is the one that a commit there would have stored.
 * @throws EOS_CONFIG where `mark` lies within a row, before the first or behind the last one
 */
export async function locateByReading<Row>(
  assignment: Assignment<Row>,
  mark: Mark,
  signal: AbortSignal,
): Promise<Located> {
  if ('rows' in mark) return await behindRows(assignment, mark.rows, signal);
  const found = await findOffset(assignment, mark.offset, signal);
  return 'source' in found ? found : await behindOffset(assignment, mark.offset, found.rows, signal);
}

/** The position at `offset` where a batch happens to end there, else how many rows start before it. */
async function findOffset<Row>(
  assignment: Assignment<Row>,
  offset: bigint,
  signal: AbortSignal,
): Promise<Located | { readonly rows: bigint }> {
  let rows = 0n;
  let end = 0n;
  return await withReader(assignment, signal, async (reader) => {
    for (;;) {
      const batch = await reader.read({ rows: ROWS });
      if (batch === undefined) throw beyondError(assignment, `offset ${offset}`, rows, end);
      if (batch.next === offset) return await located(batch);
      if (batch.next > offset) return { rows: rows + BigInt(countBelow(batch.offsets, offset)) };
      rows += BigInt(batch.rows.length);
      end = batch.next;
    }
  });
}

function countBelow(offsets: BigInt64Array, offset: bigint): number {
  const first = offsets.findIndex((start) => start >= offset);
  return first === -1 ? offsets.length : first;
}

/** Blank space between two rows may belong to either. */
async function behindOffset<Row>(
  assignment: Assignment<Row>,
  offset: bigint,
  rows: bigint,
  signal: AbortSignal,
): Promise<Located> {
  if (rows === 0n) throw markError(assignment, `no row starts before offset ${offset}: leave it out`);
  const found = await behindRows(assignment, rows, signal);
  if (found.offset <= offset) return found;
  throw markError(assignment, `offset ${offset} lies within a row, which ends at ${found.offset}`);
}

async function behindRows<Row>(
  assignment: Assignment<Row>,
  wanted: bigint,
  signal: AbortSignal,
): Promise<Located> {
  let rows = 0n;
  let end = 0n;
  return await withReader(assignment, signal, async (reader) => {
    for (;;) {
      const left = wanted - rows;
      const batch = await reader.read({ rows: left < ROWS ? Number(left) : ROWS });
      if (batch === undefined) throw beyondError(assignment, `row ${wanted}`, rows, end);
      rows += BigInt(batch.rows.length);
      end = batch.next;
      if (rows === wanted) return await located(batch);
    }
  });
}

async function located<Row>(batch: SourceBatch<Row>): Promise<Located> {
  return { offset: batch.next, source: await batch.identity() };
}

async function withReader<Row, T>(
  assignment: Assignment<Row>,
  signal: AbortSignal,
  work: (reader: SourceReader<Row>) => Promise<T>,
): Promise<T> {
  const reader = await assignment.open(new Map(), signal);
  try {
    return await work(reader);
  } finally {
    await reader.close();
  }
}

function beyondError<Row>(assignment: Assignment<Row>, mark: string, rows: bigint, end: bigint): EosError {
  return markError(assignment, `${mark} lies behind the last of ${rows} rows, which ends at offset ${end}`);
}

function markError<Row>({ partitions }: Assignment<Row>, problem: string): EosError {
  const partition: PartitionId = partitions[0] ?? '';
  return new EosError('EOS_CONFIG', `partition ${partition}: ${problem}`, {
    details: { option: 'positions', partition },
  });
}
