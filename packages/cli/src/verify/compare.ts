/**
 * Compares what a destination should hold with what it holds, in memory that does not grow with the rows.
 *
 * First pass: both sides are reduced to sums by bucket. Where all buckets agree, that is all. Second pass, only where some do not: both
 * sides are read again, and the rows of those buckets, usually a few, are held against each other by way of temporary files.
 */
import { isRetraction } from '@eos/core';
import { BucketSums } from './bucket-sums.js';
import { DifferenceFinder, type Differences } from './difference-finder.js';
import { LastChanges } from './last-changes.js';
import { eachLine, keyEnd, type ExpectedLines } from './lines.js';
import { RowHash } from './row-hash.js';

export interface CompareOptions {
  /** What should be there: the changes in their order. Read once or twice, and must be the same each time. */
  readonly expected: () => AsyncIterable<ExpectedLines>;
  /** What is there: blocks of lines. Read once or twice, and must be the same each time. */
  readonly found: () => AsyncIterable<Uint8Array>;
  /** How many leading fields tell rows apart; 0: only the whole row does. */
  readonly keyColumns: number;
  /** True: of each key the last change counts. False: every `+` adds a row, every `-` takes one. */
  readonly isUpsert: boolean;
  /** How many differences of each kind to name. */
  readonly limit: number;
  /** For temporary files: exists, and is the caller's to remove. */
  readonly folder: string;
  /** Any number of 32 bits: of the hashes. */
  readonly seed: number;
  /** A power of two. Default 2^20: 20 MB, and 100 rows in a bucket of 100 million. */
  readonly buckets?: number;
  /** What the rows that are held against each other at a time may take, about. Default 64 MiB. */
  readonly memoryBytes?: number;
  readonly onProgress?: (progress: Progress) => void;
}

export interface Progress {
  readonly step: 'source' | 'destination' | 'source again' | 'destination again';
  readonly rows: number;
}

export interface Comparison extends Differences {
  readonly expected: number;
  readonly found: number;
  /** False where the source gave other rows the second time: nothing can be said about differences then. */
  readonly isRepeatable: boolean;
}

const NO_DIFFERENCES: Differences = { counts: { lost: 0, doubled: 0, changed: 0, foreign: 0 }, named: [] };

export async function compare(options: CompareOptions): Promise<Comparison> {
  const pass = new FirstPass(options);
  try {
    const digest = await pass.addExpected();
    await pass.addFound();
    const { expected, found, sums } = pass;
    if (sums.differing() === 0) return { ...NO_DIFFERENCES, expected, found, isRepeatable: true };
    const second = await nameDifferences(options, sums);
    const isRepeatable = second.digest === digest;
    const { counts, named } = isRepeatable ? second : NO_DIFFERENCES;
    return { counts, named, expected, found, isRepeatable };
  } finally {
    pass.close();
  }
}

/** Hashes of a line and of its key: the same object where the whole line is its key. */
class LineHashes {
  readonly row: RowHash;
  readonly key: RowHash;

  constructor(
    seed: number,
    private readonly keyColumns: number,
  ) {
    this.row = new RowHash(seed);
    this.key = keyColumns === 0 ? this.row : new RowHash(seed);
  }

  of(bytes: Uint8Array, start: number, end: number): void {
    this.row.of(bytes, start, end);
    if (this.keyColumns > 0) this.key.of(bytes, start, keyEnd(bytes, start, end, this.keyColumns));
  }
}

/** Which bucket of `count`, a power of two, a key is in: by the highest bits of its first number. */
function bucketOf(key: number, count: number): number {
  return count === 1 ? 0 : key >>> (Math.clz32(count) + 1);
}

class FirstPass {
  readonly sums: BucketSums;
  expected = 0;
  found = 0;
  readonly #hashes: LineHashes;
  readonly #last: LastChanges | undefined;

  constructor(private readonly options: CompareOptions) {
    this.sums = new BucketSums(options.buckets ?? 2 ** 20);
    this.#hashes = new LineHashes(options.seed, options.keyColumns);
    this.#last = options.isUpsert ? new LastChanges(options.folder) : undefined;
  }

  /** Returns a digest of all changes. */
  async addExpected(): Promise<string> {
    const digest = new ChangesDigest();
    const { row, key } = this.#hashes;
    const { sums } = this;
    const last = this.#last;
    for await (const { lines, ops } of counted(this.options, 'source')) {
      eachLine(lines, (start, end, index) => {
        const isTaken = isRetraction(ops?.[index] ?? 0);
        this.#hashes.of(lines, start, end);
        digest.add(row, isTaken);
        if (last !== undefined) {
          last.add(key, row, isTaken);
          return;
        }
        this.expected += isTaken ? -1 : 1;
        sums.add(bucketOf(key.a, sums.count), row, isTaken ? -1 : 1);
      });
    }
    last?.fold((first, a, b, c, d) => {
      this.expected++;
      sums.addSums(bucketOf(first, sums.count), a, b, c, d, 1);
    });
    return digest.text();
  }

  async addFound(): Promise<void> {
    const { row, key } = this.#hashes;
    const { sums } = this;
    for await (const lines of this.options.found()) {
      eachLine(lines, (start, end) => {
        this.#hashes.of(lines, start, end);
        sums.add(bucketOf(key.a, sums.count), row, -1);
        this.found++;
      });
      this.options.onProgress?.({ step: 'destination', rows: this.found });
    }
  }

  close(): void {
    this.#last?.close();
  }
}

async function nameDifferences(
  options: CompareOptions,
  sums: BucketSums,
): Promise<Differences & { readonly digest: string }> {
  const { memoryBytes = 2 ** 26 } = options;
  const finder = new DifferenceFinder({ ...options, memoryBytes });
  const hashes = new LineHashes(options.seed, options.keyColumns);
  const digest = new ChangesDigest();
  const differs = () => sums.differs(bucketOf(hashes.key.a, sums.count));
  try {
    for await (const { lines, ops, partition, offsets, from, next } of counted(options, 'source again')) {
      eachLine(lines, (start, end, index) => {
        const isTaken = isRetraction(ops?.[index] ?? 0);
        hashes.of(lines, start, end);
        digest.add(hashes.row, isTaken);
        if (!differs()) return;
        const offset = offsets?.[index];
        const place =
          offset === undefined ? { partition, offset: from, next } : { partition, offset, next: offset };
        finder.addExpected(lines, start, end, hashes.key, isTaken, place);
      });
    }
    let found = 0;
    for await (const lines of options.found()) {
      eachLine(lines, (start, end) => {
        found++;
        hashes.of(lines, start, end);
        if (differs()) finder.addFound(lines, start, end, hashes.key);
      });
      options.onProgress?.({ step: 'destination again', rows: found });
    }
    return { ...finder.finish(), digest: digest.text() };
  } finally {
    finder.close();
  }
}

/** A sum over all changes, whatever their order. */
export class ChangesDigest {
  readonly #sums = new BucketSums(1);

  add(row: RowHash, isTaken: boolean): void {
    // To take a row is not the same as not to put it.
    this.#sums.add(0, row, isTaken ? 3 : 1);
  }

  text(): string {
    return this.#sums.digest();
  }
}

async function* counted(
  { expected, onProgress }: CompareOptions,
  step: Progress['step'],
): AsyncGenerator<ExpectedLines> {
  let rows = 0;
  for await (const batch of expected()) {
    yield batch;
    rows += batch.count;
    onProgress?.({ step, rows });
  }
}
