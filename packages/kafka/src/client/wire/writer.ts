/** The primitive types of Kafka's protocol, written. Source of the forms: kafka.apache.org/protocol, "Protocol Primitive Types". */

const INITIAL_BYTES = 256;

export class Writer {
  #buffer: Buffer;
  #length = 0;

  constructor(bytes = INITIAL_BYTES) {
    this.#buffer = Buffer.allocUnsafe(bytes);
  }

  /** What was written so far: a view, which further writing may change. */
  get written(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Begins anew, in the same memory. */
  reset(): this {
    this.#length = 0;
    return this;
  }

  get length(): number {
    return this.#length;
  }

  boolean(value: boolean): this {
    return this.int8(value ? 1 : 0);
  }

  int8(value: number): this {
    const at = this.#advance(1);
    this.#buffer.writeInt8(value, at);
    return this;
  }

  int16(value: number): this {
    const at = this.#advance(2);
    this.#buffer.writeInt16BE(value, at);
    return this;
  }

  int32(value: number): this {
    const at = this.#advance(4);
    this.#buffer.writeInt32BE(value, at);
    return this;
  }

  uint32(value: number): this {
    const at = this.#advance(4);
    this.#buffer.writeUInt32BE(value, at);
    return this;
  }

  int64(value: bigint): this {
    const at = this.#advance(8);
    this.#buffer.writeBigInt64BE(value, at);
    return this;
  }

  /** Unsigned, seven bits a byte, least significant first. */
  unsignedVarint(value: number): this {
    let rest = value;
    while (rest > 0x7f) {
      this.#byte((rest & 0x7f) | 0x80);
      rest = Math.floor(rest / 128);
    }
    return this.#byte(rest);
  }

  /** Zigzag, for values of 32 bits. */
  varint(value: number): this {
    return this.unsignedVarint(((value << 1) ^ (value >> 31)) >>> 0);
  }

  bytes(value: Uint8Array): this {
    const at = this.#advance(value.length);
    this.#buffer.set(value, at);
    return this;
  }

  compactString(value: string): this {
    const length = Buffer.byteLength(value);
    this.unsignedVarint(length + 1);
    const at = this.#advance(length);
    this.#buffer.write(value, at);
    return this;
  }

  compactNullableString(value: string | null): this {
    return value === null ? this.unsignedVarint(0) : this.compactString(value);
  }

  /** Length and elements; each element ends with tagged fields where `entry` writes them. */
  compactArray<T>(values: Iterable<T>, entry: (value: T) => void): this {
    const list = [...values];
    this.unsignedVarint(list.length + 1);
    for (const value of list) entry(value);
    return this;
  }

  compactNullArray(): this {
    return this.unsignedVarint(0);
  }

  int32Array(values: Iterable<number>): this {
    return this.compactArray(values, (value) => this.int32(value));
  }

  uuid(text: string): this {
    return this.bytes(Buffer.from(text, 'base64url'));
  }

  /** No tagged fields. */
  tags(): this {
    return this.int8(0);
  }

  #byte(value: number): this {
    const at = this.#advance(1);
    this.#buffer[at] = value;
    return this;
  }

  #advance(bytes: number): number {
    const at = this.#length;
    this.#length += bytes;
    if (this.#length > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#length, this.#buffer.length * 2));
      larger.set(this.#buffer.subarray(0, at));
      this.#buffer = larger;
    }
    return at;
  }
}
