/**
 * The last change of each key, of more keys than fit into memory: changes are parted into files by the hash of their key, and each file is
 * folded by itself. Only hashes are kept: 37 bytes a change on disk, and about 80 bytes a key of one file in memory.
 */
import type { RowHash } from './row-hash.js';
import { Spill } from './spill.js';

/** 100 million keys are 400,000 in each file. */
const FILES = 256;

/** Key and row, 16 bytes each, and whether the row was put or taken. */
const RECORD_BYTES = 33;

/** Takes the hash of a key by its first number, which its bucket is made of, and the four of the row it has at the end. */
export type TakeRow = (key: number, a: number, b: number, c: number, d: number) => void;

export class LastChanges {
  readonly #spill: Spill;

  constructor(folder: string) {
    this.#spill = new Spill(folder, 'changes', FILES);
  }

  add(key: RowHash, row: RowHash, isTaken: boolean): void {
    const file = this.#spill.file((key.b >>> 0) % FILES);
    const at = file.reserve(RECORD_BYTES);
    const { block } = file;
    block.writeInt32LE(key.a, at);
    block.writeInt32LE(key.b, at + 4);
    block.writeInt32LE(key.c, at + 8);
    block.writeInt32LE(key.d, at + 12);
    block.writeInt32LE(row.a, at + 16);
    block.writeInt32LE(row.b, at + 20);
    block.writeInt32LE(row.c, at + 24);
    block.writeInt32LE(row.d, at + 28);
    block[at + 32] = isTaken ? 1 : 0;
  }

  /** Hands out the row of every key that has one in the end, and frees the files. */
  fold(take: TakeRow): void {
    for (let index = 0; index < FILES; index++) {
      const file = this.#spill.existing(index);
      if (file === undefined) continue;
      const keys = new KeyTable();
      file.read((bytes, start) => keys.put(bytes, start));
      this.#spill.drop(index);
      keys.each(take);
    }
  }

  close(): void {
    this.#spill.close();
  }
}

const FREE = 0;
const PUT = 1;
const TAKEN = 2;

/** A hash table with open addressing in typed arrays: an object per key would take three times the memory. */
class KeyTable {
  #capacity = 1_024;
  #used = 0;
  /** Key and row of each slot. */
  #numbers = new Int32Array(8 * this.#capacity);
  #states = new Uint8Array(this.#capacity);

  /** Takes in the record that begins at `start`. */
  put(bytes: Buffer, start: number): void {
    if (this.#used * 2 > this.#capacity) this.#grow();
    const slot = this.#find(
      bytes.readInt32LE(start),
      bytes.readInt32LE(start + 4),
      bytes.readInt32LE(start + 8),
      bytes.readInt32LE(start + 12),
    );
    if (this.#states[slot] === FREE) this.#used++;
    this.#states[slot] = bytes[start + 32] === 1 ? TAKEN : PUT;
    for (let index = 0; index < 8; index++)
      this.#numbers[8 * slot + index] = bytes.readInt32LE(start + 4 * index);
  }

  each(take: TakeRow): void {
    const numbers = this.#numbers;
    for (let slot = 0; slot < this.#capacity; slot++) {
      if (this.#states[slot] !== PUT) continue;
      const at = 8 * slot;
      take(
        numbers[at] ?? 0,
        numbers[at + 4] ?? 0,
        numbers[at + 5] ?? 0,
        numbers[at + 6] ?? 0,
        numbers[at + 7] ?? 0,
      );
    }
  }

  /** The slot of the key, or the free one that it would take. */
  #find(a: number, b: number, c: number, d: number): number {
    const mask = this.#capacity - 1;
    const numbers = this.#numbers;
    // The second number has chosen the file: all keys here have that in common.
    for (let slot = c & mask; ; slot = (slot + 1) & mask) {
      const at = 8 * slot;
      if (this.#states[slot] === FREE) return slot;
      if (numbers[at] === a && numbers[at + 1] === b && numbers[at + 2] === c && numbers[at + 3] === d)
        return slot;
    }
  }

  #grow(): void {
    const [numbers, states] = [this.#numbers, this.#states];
    this.#capacity *= 2;
    this.#numbers = new Int32Array(8 * this.#capacity);
    this.#states = new Uint8Array(this.#capacity);
    for (let old = 0; old < states.length; old++) {
      if (states[old] === FREE) continue;
      const at = 8 * old;
      const slot = this.#find(
        numbers[at] ?? 0,
        numbers[at + 1] ?? 0,
        numbers[at + 2] ?? 0,
        numbers[at + 3] ?? 0,
      );
      this.#states[slot] = states[old] ?? FREE;
      for (let index = 0; index < 8; index++) this.#numbers[8 * slot + index] = numbers[at + index] ?? 0;
    }
  }
}
