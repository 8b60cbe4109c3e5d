/** Whether a transform gives the same rows again: tried on a sample, cut in two ways, before everything is read. */
import type { PartitionId, ReplayOptions, TableSnapshot } from '@eos/core';
import { ChangesDigest } from './compare.js';
import { expectedLines } from './expected-lines.js';
import { eachLine, type ExpectedLines } from './lines.js';
import { RowHash } from './row-hash.js';

/** Rows of the sample, at least: enough to meet what changes with each row, at no cost worth speaking of. */
const SAMPLE_ROWS = 1_000;

/** Without a common divisor: but for the end of the sample, no batch of one cut ends with one of the other. */
const CUTS = [307, 128] as const;

/** Reads the first rows of the source twice, and says whether they come out the same. */
export async function isSampleRepeatable<In, Row>(
  options: ReplayOptions<In, Row>,
  snapshot: TableSnapshot,
): Promise<boolean> {
  const ends = new Map<PartitionId, bigint>();
  const first = new SampleDigest();
  let rows = 0;
  for await (const batch of expectedLines({ ...options, rows: CUTS[0] }, snapshot, nothingLeftOut())) {
    first.add(batch);
    ends.set(batch.partition, batch.next);
    rows += CUTS[0];
    if (rows >= SAMPLE_ROWS) break;
  }
  const second = new SampleDigest();
  for await (const batch of expectedLines({ ...options, ends, rows: CUTS[1] }, snapshot, nothingLeftOut())) {
    second.add(batch);
  }
  return first.text() === second.text();
}

function nothingLeftOut() {
  return { rejected: 0, deadLetters: 0 };
}

class SampleDigest {
  readonly #hash = new RowHash(0);
  readonly #digest = new ChangesDigest();

  add({ lines, ops }: ExpectedLines): void {
    eachLine(lines, (start, end, index) => {
      this.#hash.of(lines, start, end);
      this.#digest.add(this.#hash, ((ops?.[index] ?? 0) & 1) === 1);
    });
  }

  text(): string {
    return this.#digest.text();
  }
}
