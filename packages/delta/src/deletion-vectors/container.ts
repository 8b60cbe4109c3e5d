/**
 * A container of a Roaring bitmap: numbers of 16 bits, as a sorted array while they are few, else as bits.
 * https://github.com/RoaringBitmap/RoaringFormatSpec
 */

/** An array takes less than bits up to here, which is where the format changes from one to the other. */
export const MAX_ARRAY = 4096;
const BITS_BYTES = 8192;

export class Container {
  /** Sorted; undefined where `bits` are in use. */
  #array: Uint16Array | undefined = new Uint16Array(4);
  #bits: Uint8Array | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** False where it was there. */
  add(value: number): boolean {
    if (this.#bits !== undefined) return this.#setBit(this.#bits, value);
    const array = this.#array ?? new Uint16Array();
    const at = this.#size === 0 || value > (array[this.#size - 1] ?? 0) ? this.#size : this.#place(value);
    if (at < this.#size && array[at] === value) return false;
    if (this.#size === MAX_ARRAY) return this.#setBit(this.#toBits(), value);
    const room = this.#size < array.length ? array : grown(array);
    room.copyWithin(at + 1, at, this.#size);
    room[at] = value;
    this.#array = room;
    this.#size += 1;
    return true;
  }

  has(value: number): boolean {
    if (this.#bits !== undefined) return ((this.#bits[value >> 3] ?? 0) & (1 << (value & 7))) !== 0;
    const at = this.#place(value);
    return at < this.#size && this.#array?.[at] === value;
  }

  /** Ascending. */
  *values(): Generator<number> {
    if (this.#bits === undefined) {
      for (let at = 0; at < this.#size; at++) yield this.#array?.[at] ?? 0;
      return;
    }
    for (let byte = 0; byte < BITS_BYTES; byte++) {
      const bits = this.#bits[byte] ?? 0;
      for (let bit = 0; bits >> bit !== 0; bit++) if (((bits >> bit) & 1) === 1) yield byte * 8 + bit;
    }
  }

  /** Size of what {@link Container.write} writes. */
  get byteSize(): number {
    return this.#size <= MAX_ARRAY ? 2 * this.#size : BITS_BYTES;
  }

  /** Writes the values, lowest byte first. */
  write(view: DataView, offset: number): void {
    if (this.#bits !== undefined && this.#size > MAX_ARRAY) {
      new Uint8Array(view.buffer, view.byteOffset + offset, BITS_BYTES).set(this.#bits);
      return;
    }
    let at = offset;
    for (const value of this.values()) {
      view.setUint16(at, value, true);
      at += 2;
    }
  }

  /** Takes a whole bitset of 8,192 bytes, lowest number first. */
  static ofBits(bytes: Uint8Array): Container {
    const container = new Container();
    container.#array = undefined;
    container.#bits = bytes.slice();
    for (const byte of bytes) container.#size += countBits(byte);
    return container;
  }

  /** Adds `first` and all behind it up to `last`. */
  addRange(first: number, last: number): void {
    const bits = this.#bits ?? this.#toBits();
    for (let value = first; value <= last; value++) this.#setBit(bits, value);
  }

  #place(value: number): number {
    let [low, high] = [0, this.#size];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#array?.[middle] ?? 0) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #setBit(bits: Uint8Array, value: number): boolean {
    const [byte, bit] = [value >> 3, 1 << (value & 7)];
    const before = bits[byte] ?? 0;
    if ((before & bit) !== 0) return false;
    bits[byte] = before | bit;
    this.#size += 1;
    return true;
  }

  #toBits(): Uint8Array {
    const bits = new Uint8Array(BITS_BYTES);
    for (const value of this.values()) bits[value >> 3] = (bits[value >> 3] ?? 0) | (1 << (value & 7));
    this.#array = undefined;
    this.#bits = bits;
    return bits;
  }
}

function grown(array: Uint16Array): Uint16Array {
  const larger = new Uint16Array(Math.min(MAX_ARRAY, Math.max(4, array.length * 2)));
  larger.set(array);
  return larger;
}

function countBits(byte: number): number {
  let count = 0;
  for (let rest = byte; rest !== 0; rest &= rest - 1) count += 1;
  return count;
}
