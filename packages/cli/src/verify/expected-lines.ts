/** What the source says: its changes up to the stored positions, as the lines that the destination must show for them. */
import { replay, type ReplayOptions, type TableSnapshot } from '@eos/core';
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
  const encode = snapshot.encoder();
  for await (const { source, changes } of replay(options)) {
    const encoded = await encode(changes);
    leftOut.deadLetters += encoded.deadLetters;
    leftOut.rejected += encoded.leftOut.length - encoded.deadLetters;
    const isKept = keeper(encoded.leftOut);
    const { ops, offsets, partition } = changes;
    yield {
      lines: encoded.lines,
      count: changes.rows.length - encoded.leftOut.length,
      partition,
      ...(ops === undefined ? {} : { ops: isKept === undefined ? ops : ops.filter(isKept) }),
      ...(offsets === undefined ? {} : { offsets: isKept === undefined ? offsets : offsets.filter(isKept) }),
      from: source.offsets.at(0) ?? source.next,
      next: source.next,
    };
  }
}

/** Undefined where all are kept. */
function keeper(leftOut: readonly number[]): ((_: unknown, index: number) => boolean) | undefined {
  if (leftOut.length === 0) return undefined;
  const left = new Set(leftOut);
  return (_, index) => !left.has(index);
}
