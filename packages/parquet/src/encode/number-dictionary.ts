/** Dictionaries for numbers that repeat, told apart by their bits: 0 and -0 are two entries, and NaN is one. */
import { bitWidth } from '../columns/byte-arrays.js';
import type { ColumnValues } from '../columns/value-adders.js';

export interface Dictionary {
  /** The entries in plain encoding. */
  readonly bytes: Uint8Array;
  readonly entries: number;
  /** The entry of each value. */
  readonly indices: Int32Array;
}

const SAMPLE = 1024;
const MAX_ENTRIES = 65_536;

/** A dictionary that at least halves the column, or undefined. */
export function numberDictionary(values: ColumnValues): Dictionary | undefined {
  const { count } = values;
  if (count < GROUP_WORTH) return undefined;
  switch (values.physical) {
    case 'INT32':
    case 'FLOAT':
      return build(words(values.data.buffer), 1, count);
    case 'INT64':
    case 'DOUBLE':
      return build(words(values.data.buffer), 2, count);
    default:
      return undefined;
  }
}

/** Below so many values nothing is won. */
const GROUP_WORTH = 16;

function words(buffer: ArrayBuffer): Int32Array {
  return new Int32Array(buffer);
}

/** `size` words of 32 bits make one value. */
function build(data: Int32Array, size: 1 | 2, count: number): Dictionary | undefined {
  if (!isWorthTrying(data, size, count)) return undefined;
  const table = new Table(size);
  const indices = new Int32Array(count);
  for (let at = 0; at < count; at++) {
    const low = data[size * at] ?? 0;
    indices[at] = table.entryOf(low, size === 1 ? 0 : (data[size * at + 1] ?? 0));
    if (table.entries > MAX_ENTRIES) return undefined;
  }
  const { entries } = table;
  const plain = 4 * size * count;
  if (2 * (4 * size * entries + (count * bitWidth(entries - 1)) / 8) > plain) return undefined;
  return { bytes: table.plain(), entries, indices };
}

/** A look at values spread over the column: more than half of them distinct, and a dictionary will hardly pay. */
function isWorthTrying(data: Int32Array, size: 1 | 2, count: number): boolean {
  const table = new Table(size);
  const sample = Math.min(SAMPLE, count);
  for (let taken = 0; taken < sample; taken++) {
    const at = size * Math.floor((taken * count) / sample);
    table.entryOf(data[at] ?? 0, size === 1 ? 0 : (data[at + 1] ?? 0));
  }
  return table.entries <= sample / 2;
}

/** Open addressing over entries that are kept as words. */
class Table {
  entries = 0;
  private slots = new Int32Array(4096).fill(-1);
  private lows = new Int32Array(1024);
  private highs = new Int32Array(1024);

  constructor(private readonly size: 1 | 2) {}

  entryOf(low: number, high: number): number {
    const mask = this.slots.length - 1;
    let slot = hash(low, high) & mask;
    for (;;) {
      const entry = this.slots[slot] ?? -1;
      if (entry === -1) return this.insert(slot, low, high);
      if (this.lows[entry] === low && this.highs[entry] === high) return entry;
      slot = (slot + 1) & mask;
    }
  }

  private insert(slot: number, low: number, high: number): number {
    const entry = this.entries++;
    this.slots[slot] = entry;
    this.lows[entry] = low;
    this.highs[entry] = high;
    if (this.entries === this.lows.length) this.grow();
    return entry;
  }

  private grow(): void {
    const { lows, highs } = this;
    this.lows = new Int32Array(2 * lows.length);
    this.highs = new Int32Array(2 * lows.length);
    this.lows.set(lows);
    this.highs.set(highs);
    this.slots = new Int32Array(2 * this.slots.length).fill(-1);
    const mask = this.slots.length - 1;
    for (let entry = 0; entry < this.entries; entry++) {
      let slot = hash(this.lows[entry] ?? 0, this.highs[entry] ?? 0) & mask;
      while (this.slots[slot] !== -1) slot = (slot + 1) & mask;
      this.slots[slot] = entry;
    }
  }

  plain(): Uint8Array {
    const { size, entries } = this;
    const out = new Int32Array(size * entries);
    for (let entry = 0; entry < entries; entry++) {
      out[size * entry] = this.lows[entry] ?? 0;
      if (size === 2) out[2 * entry + 1] = this.highs[entry] ?? 0;
    }
    return new Uint8Array(out.buffer);
  }
}

function hash(low: number, high: number): number {
  let mixed = Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b);
  mixed ^= mixed >>> 15;
  mixed = Math.imul(mixed, 0x2c1b3c6d);
  return mixed ^ (mixed >>> 13);
}
