/**
 * Names the rows that differ, among those of the buckets that differ. Both sides' rows are parted into files by the hash of their key;
 * each file is then held against itself in memory. One that would take too much of it is parted again.
 */
import { EosError, type PartitionId } from '@eos/core';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { judgeGroup, RowGroups, type Difference, type Place } from './row-groups.js';
import { keyEnd } from './lines.js';
import { RowHash } from './row-hash.js';
import { Spill, type SpillFile } from './spill.js';

export type DifferenceKind = Difference['kind'];

export interface DifferenceFinderOptions {
  readonly folder: string;
  readonly keyColumns: number;
  /** Whether the last change of each key counts, or all changes do. */
  readonly isUpsert: boolean;
  /** How many differences of each kind to keep. */
  readonly limit: number;
  /** About how much memory the rows of a file may take. */
  readonly memoryBytes: number;
  readonly seed: number;
}

export interface Differences {
  /** Rows by kind; each copy too many counts. */
  readonly counts: Readonly<Record<DifferenceKind, number>>;
  /** The first ones of each kind. */
  readonly named: readonly Difference[];
}

const FILES = 256;
/** Into how many files one is parted that is too large. */
const PARTS = 16;
/** After that many partings the rows of a file have one key in common. */
const DEEPEST = 12;

/** Kind of record, number of the partition, first offset and the one behind the last. */
const HEAD_BYTES = 21;
const FOUND = 0;
const PUT = 1;
const TAKEN = 2;

export class DifferenceFinder {
  readonly #spill: Spill;
  readonly #partitions: PartitionId[] = [];
  readonly #numbers = new Map<PartitionId, number>();
  readonly #hash: RowHash;
  readonly #counts = { lost: 0, doubled: 0, changed: 0, foreign: 0 };
  readonly #named: Difference[] = [];

  constructor(private readonly options: DifferenceFinderOptions) {
    this.#spill = new Spill(options.folder, 'rows', FILES);
    this.#hash = new RowHash(options.seed);
  }

  addExpected(
    bytes: Uint8Array,
    start: number,
    end: number,
    key: RowHash,
    isTaken: boolean,
    place: Place,
  ): void {
    const file = this.#spill.file((key.b >>> 0) % FILES);
    const at = file.reserve(HEAD_BYTES + end - start);
    const { block } = file;
    block[at] = isTaken ? TAKEN : PUT;
    block.writeUInt32LE(this.#number(place.partition), at + 1);
    block.writeBigInt64LE(place.offset, at + 5);
    block.writeBigInt64LE(place.next, at + 13);
    block.set(bytes.subarray(start, end), at + HEAD_BYTES);
  }

  addFound(bytes: Uint8Array, start: number, end: number, key: RowHash): void {
    const file = this.#spill.file((key.b >>> 0) % FILES);
    const at = file.reserve(HEAD_BYTES + end - start);
    file.block.fill(0, at, at + HEAD_BYTES);
    file.block.set(bytes.subarray(start, end), at + HEAD_BYTES);
  }

  /** Judges all rows that were added, and frees them. */
  finish(): Differences {
    this.#judgeAll(this.#spill, 0);
    return { counts: this.#counts, named: this.#named };
  }

  close(): void {
    this.#spill.close();
  }

  #number(partition: PartitionId): number {
    const known = this.#numbers.get(partition);
    if (known !== undefined) return known;
    const number = this.#partitions.push(partition) - 1;
    this.#numbers.set(partition, number);
    return number;
  }

  #judgeAll(spill: Spill, depth: number): void {
    for (let index = 0; index < spill.count; index++) {
      const file = spill.existing(index);
      if (file === undefined) continue;
      if (!this.#judge(file)) this.#partAgain(file, depth);
      spill.drop(index);
    }
  }

  /** False where the rows of the file would take too much memory. */
  #judge(file: SpillFile): boolean {
    const groups = this.#load(file);
    if (groups === undefined) return false;
    for (const group of groups.all()) {
      for (const difference of judgeGroup(group, this.options.keyColumns > 0)) {
        if (this.#counts[difference.kind] < this.options.limit) this.#named.push(difference);
        this.#counts[difference.kind] += difference.copies;
      }
    }
    return true;
  }

  #load(file: SpillFile): RowGroups | undefined {
    const { isUpsert, keyColumns, memoryBytes } = this.options;
    const groups = new RowGroups(isUpsert);
    file.read((bytes, start, end) => {
      if (groups.exceed(memoryBytes)) return;
      const line = start + HEAD_BYTES;
      const row = bytes.toString('latin1', line, end);
      const key = keyColumns === 0 ? row : row.slice(0, keyEnd(bytes, line, end, keyColumns) - line);
      const kind = bytes[start] ?? FOUND;
      if (kind === FOUND) groups.addFound(key, row);
      else groups.addExpected(key, row, kind === TAKEN, this.#placeAt(bytes, start));
    });
    return groups.exceed(memoryBytes) ? undefined : groups;
  }

  #placeAt(bytes: Buffer, start: number): Place {
    return {
      partition: this.#partitions[bytes.readUInt32LE(start + 1)] ?? '',
      offset: bytes.readBigInt64LE(start + 5),
      next: bytes.readBigInt64LE(start + 13),
    };
  }

  #partAgain(file: SpillFile, depth: number): void {
    if (depth >= DEEPEST) {
      const message = 'too many different rows have the same key: give a key that tells rows apart';
      throw new EosError('EOS_CONFIG', message, { details: { option: 'key' } });
    }
    const folder = join(this.options.folder, `depth-${depth}`);
    mkdirSync(folder);
    const spill = new Spill(folder, 'rows', PARTS);
    try {
      file.read((bytes, start, end) => {
        const line = start + HEAD_BYTES;
        this.#hash.of(bytes, line, keyEnd(bytes, line, end, this.options.keyColumns));
        const part = spill.file(this.#digit(depth));
        const at = part.reserve(end - start);
        bytes.copy(part.block, at, start, end);
      });
      this.#judgeAll(spill, depth + 1);
    } finally {
      spill.close();
      rmSync(folder, { recursive: true, force: true });
    }
  }

  /** Four bits of the hash that no parting has used yet. */
  #digit(depth: number): number {
    return ((depth < 8 ? this.#hash.c : this.#hash.d) >>> (4 * (depth & 7))) & (PARTS - 1);
  }
}
