/** What the source says: its changes up to the stored positions, as the lines that the destination must show for them. */
import { replay, type ChangeBatch, type ReplayOptions, type TableSnapshot } from '@eos/core';
import type { ExpectedLines } from './lines.js';

/** Changes that are not to be expected, and why. */
export interface LeftOut {
  /** Their values do not fit their columns. */
  rejected: number;
  /** They were kept as dead letters. */
  deadLetters: number;
}

/** @param leftOut is counted up */
export async function* expectedLines<In, Row>(
  options: ReplayOptions<In, Row>,
  snapshot: TableSnapshot,
  leftOut: LeftOut,
): AsyncGenerator<ExpectedLines> {
  for await (const { source, changes } of replay(options)) {
    const kept = withoutDeadLetters(changes, snapshot, leftOut);
    const { lines, rejected } = await snapshot.encode(kept);
    leftOut.rejected += rejected.length;
    const isKept = keeper(rejected);
    const { ops, offsets, partition } = kept;
    yield {
      lines,
      count: kept.rows.length - rejected.length,
      partition,
      ...(ops === undefined ? {} : { ops: isKept === undefined ? ops : ops.filter(isKept) }),
      ...(offsets === undefined ? {} : { offsets: isKept === undefined ? offsets : offsets.filter(isKept) }),
      from: source.offsets.at(0) ?? source.next,
      next: source.next,
    };
  }
}

function keeper(rejected: readonly number[]): ((_: unknown, index: number) => boolean) | undefined {
  if (rejected.length === 0) return undefined;
  const left = new Set(rejected);
  return (_, index) => !left.has(index);
}

function withoutDeadLetters<Row>(
  batch: ChangeBatch<Row>,
  { isDeadLetter }: TableSnapshot,
  leftOut: LeftOut,
): ChangeBatch<Row> {
  const { rows, ops, offsets, partition } = batch;
  if (isDeadLetter === undefined || offsets === undefined) return batch;
  const dead: number[] = [];
  offsets.forEach((offset, index) => {
    if (isDeadLetter(partition, offset)) dead.push(index);
  });
  const isKept = keeper(dead);
  if (isKept === undefined) return batch;
  leftOut.deadLetters += dead.length;
  return {
    partition,
    rows: rows.filter(isKept),
    offsets: offsets.filter(isKept),
    ...(ops === undefined ? {} : { ops: ops.filter(isKept) }),
  };
}
