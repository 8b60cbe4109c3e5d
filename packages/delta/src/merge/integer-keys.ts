/** Keys of one integer column. */
import { EosError } from '@eos/core';
import type { ColumnValues, FindKey, KeyTable } from './key-table.js';

export interface IntegerKeysImage {
  readonly low: Int32Array<ArrayBuffer>;
  readonly high: Int32Array<ArrayBuffer>;
}

/** A number of 64 bits as two of 32. */
const LONG = new BigInt64Array(1);
const HALVES = new Int32Array(LONG.buffer);
/** Whoever chooses keys cannot choose which of them meet in one slot. */
const SEED = Math.floor(Math.random() * 2 ** 32) | 0;

const FIRST_KEYS = 1024;

/** Open addressing over halves of numbers: no object for a key. Memory: 8 bytes a key and 4 a slot, up to twice for growth. */
export class IntegerKeys implements KeyTable {
  #low: Int32Array<ArrayBuffer>;
  #high: Int32Array<ArrayBuffer>;
  #size: number;
  /** Numbers of keys, one more; 0 is an empty slot. */
  #slots = new Int32Array(16);

  constructor(
    private readonly column: string,
    private readonly kind: 'int32' | 'int64' | 'timestamp',
    image?: IntegerKeysImage,
  ) {
    this.#low = image?.low ?? new Int32Array(FIRST_KEYS);
    this.#high = image?.high ?? new Int32Array(FIRST_KEYS);
    this.#size = image?.low.length ?? 0;
    this.#slots = this.#hashed(this.#low.length);
  }

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return 8 * this.#low.length + 4 * this.#slots.length;
  }

  add(row: object): number {
    this.#toHalves(Reflect.get(row, this.column));
    const [low, high] = [HALVES[0] ?? 0, HALVES[1] ?? 0];
    const slot = this.#slotOf(low, high);
    const found = this.#slots[slot] ?? 0;
    if (found > 0) return found - 1;
    const number = this.#size;
    if (number === this.#low.length) this.#grow();
    this.#size += 1;
    this.#low[number] = low;
    this.#high[number] = high;
    this.#slots[this.#slotOf(low, high)] = number + 1;
    return number;
  }

  finder(columns: ColumnValues): FindKey {
    const values = columns.get(this.column) ?? [];
    if (values instanceof BigInt64Array) {
      const halves = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
      return (row) => this.#find(halves[2 * row] ?? 0, halves[2 * row + 1] ?? 0);
    }
    return (row) => {
      const value = values[row];
      if (typeof value === 'bigint') LONG[0] = value;
      else if (typeof value === 'number') setNumber(value);
      else return -1;
      return this.#find(HALVES[0] ?? 0, HALVES[1] ?? 0);
    };
  }

  values(): ColumnValues {
    const longs = new BigInt64Array(this.#size);
    const halves = new Int32Array(longs.buffer);
    for (let number = 0; number < this.#size; number++) {
      halves[2 * number] = this.#low[number] ?? 0;
      halves[2 * number + 1] = this.#high[number] ?? 0;
    }
    return new Map([[this.column, this.kind === 'int32' ? Int32Array.from(longs, Number) : longs]]);
  }

  image(): IntegerKeysImage {
    return { low: this.#low.slice(0, this.#size), high: this.#high.slice(0, this.#size) };
  }

  #find(low: number, high: number): number {
    return (this.#slots[this.#slotOf(low, high)] ?? 0) - 1;
  }

  /** Where the key is, or would be. */
  #slotOf(low: number, high: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hash(low, high) & mask; ; slot = (slot + 1) & mask) {
      const found = this.#slots[slot] ?? 0;
      if (found === 0 || (this.#low[found - 1] === low && this.#high[found - 1] === high)) return slot;
    }
  }

  #grow(): void {
    this.#low = grown(this.#low);
    this.#high = grown(this.#high);
    this.#slots = this.#hashed(this.#low.length);
  }

  /** Slots for so many keys, a third to two thirds of them in use; with the keys that are there. */
  #hashed(keys: number): Int32Array<ArrayBuffer> {
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(Math.max(16, keys * 1.5))));
    for (let number = 0; number < this.#size; number++) {
      const [low, high] = [this.#low[number] ?? 0, this.#high[number] ?? 0];
      this.#slots[this.#slotOf(low, high)] = number + 1;
    }
    return this.#slots;
  }

  #toHalves(value: unknown): void {
    if (typeof value === 'bigint' && this.kind !== 'int32' && BigInt.asIntN(64, value) === value)
      LONG[0] = value;
    else if (typeof value === 'number' && this.#isInteger(value)) setNumber(value);
    else if (this.kind === 'timestamp' && value instanceof Date && !Number.isNaN(value.getTime()))
      LONG[0] = BigInt(value.getTime()) * 1000n;
    else throw this.#refused(value);
  }

  #isInteger(value: number): boolean {
    if (this.kind === 'int32') return (value | 0) === value;
    return this.kind === 'int64' && Number.isSafeInteger(value);
  }

  #refused(value: unknown): EosError {
    const problem =
      value === null || value === undefined
        ? `a row has no value in the key column ${JSON.stringify(this.column)}`
        : `the key column ${JSON.stringify(this.column)} has a value that is no ${this.kind}`;
    return new EosError('EOS_ROW', problem, { details: { column: this.column } });
  }
}

function setNumber(value: number): void {
  HALVES[0] = value;
  HALVES[1] = Math.floor(value / 2 ** 32);
}

function hash(low: number, high: number): number {
  let bits = Math.imul(low ^ SEED, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 15), 0x2c1b3c6d);
  return bits ^ (bits >>> 13);
}

function grown(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * Math.max(array.length, FIRST_KEYS / 2));
  larger.set(array);
  return larger;
}
