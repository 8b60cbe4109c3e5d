/** Values of fixed width, kept as a Parquet file stores them: growing arrays without nulls. Little-endian, as every platform of Node is. */

export class BooleanValues {
  readonly physical = 'BOOLEAN';
  /** 0 or 1 each. */
  data = new Uint8Array(1024);
  count = 0;

  push(value: boolean): void {
    if (this.count === this.data.length) this.data = grown(this.data, Uint8Array);
    this.data[this.count++] = value ? 1 : 0;
  }

  get byteSize(): number {
    return this.count;
  }

  truncate(count: number): void {
    this.count = count;
  }
}

export class Int32Values {
  readonly physical = 'INT32';
  data = new Int32Array(1024);
  count = 0;

  push(value: number): void {
    if (this.count === this.data.length) this.data = grown(this.data, Int32Array);
    this.data[this.count++] = value;
  }

  get byteSize(): number {
    return 4 * this.count;
  }

  truncate(count: number): void {
    this.count = count;
  }
}

const TWO_TO_32 = 4_294_967_296;

export class Int64Values {
  readonly physical = 'INT64';
  /** Two words each, the lower half first: the same memory as {@link Int64Values.data}, read without making a bigint. */
  words = new Int32Array(2048);
  data = new BigInt64Array(this.words.buffer);
  count = 0;

  /** The value must fit 64 bits. */
  push(value: bigint): void {
    if (this.count === this.data.length) this.grow();
    this.data[this.count++] = value;
  }

  /** A safe integer. */
  pushNumber(value: number): void {
    if (this.count === this.data.length) this.grow();
    const at = 2 * this.count++;
    this.words[at] = value;
    this.words[at + 1] = Math.floor(value / TWO_TO_32);
  }

  private grow(): void {
    this.words = grown(this.words, Int32Array);
    this.data = new BigInt64Array(this.words.buffer);
  }

  get byteSize(): number {
    return 8 * this.count;
  }

  truncate(count: number): void {
    this.count = count;
  }
}

export class FloatValues {
  readonly physical = 'FLOAT';
  data = new Float32Array(1024);
  count = 0;

  push(value: number): void {
    if (this.count === this.data.length) this.data = grown(this.data, Float32Array);
    this.data[this.count++] = value;
  }

  get byteSize(): number {
    return 4 * this.count;
  }

  truncate(count: number): void {
    this.count = count;
  }
}

export class DoubleValues {
  readonly physical = 'DOUBLE';
  data = new Float64Array(1024);
  count = 0;

  push(value: number): void {
    if (this.count === this.data.length) this.data = grown(this.data, Float64Array);
    this.data[this.count++] = value;
  }

  get byteSize(): number {
    return 8 * this.count;
  }

  truncate(count: number): void {
    this.count = count;
  }
}

/** Byte strings of one width: decimals of many digits, UUIDs. */
export class FixedValues {
  readonly physical = 'FIXED_LEN_BYTE_ARRAY';
  data: Uint8Array<ArrayBuffer>;
  count = 0;

  constructor(readonly width: number) {
    this.data = new Uint8Array(1024 * width);
  }

  /** Makes room for one more, and returns where its bytes go. */
  next(): number {
    const at = this.width * this.count++;
    if (at + this.width > this.data.length) this.data = grown(this.data, Uint8Array);
    return at;
  }

  get byteSize(): number {
    return this.width * this.count;
  }

  truncate(count: number): void {
    this.count = count;
  }
}

interface Growable extends ArrayLike<number> {
  set(from: ArrayLike<number>): void;
}

/** A copy of twice the length. */
export function grown<A extends Growable>(data: A, make: new (length: number) => NoInfer<A>, atLeast = 0): A {
  const larger = new make(Math.max(2 * data.length, atLeast));
  larger.set(data);
  return larger;
}
