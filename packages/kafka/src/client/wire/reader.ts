/** The primitive types of Kafka's protocol, read. A text that ends too early, or is longer than it may be, throws RangeError. */
export class Reader {
  #at = 0;

  constructor(readonly buffer: Buffer) {}

  get position(): number {
    return this.#at;
  }

  get remaining(): number {
    return this.buffer.length - this.#at;
  }

  boolean(): boolean {
    return this.int8() !== 0;
  }

  int8(): number {
    return this.buffer.readInt8(this.#advance(1));
  }

  int16(): number {
    return this.buffer.readInt16BE(this.#advance(2));
  }

  int32(): number {
    return this.buffer.readInt32BE(this.#advance(4));
  }

  int64(): bigint {
    return this.buffer.readBigInt64BE(this.#advance(8));
  }

  unsignedVarint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.buffer.readUInt8(this.#advance(1));
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError('a varint is longer than five bytes');
  }

  /** Zigzag, of 32 bits. */
  varint(): number {
    const value = this.unsignedVarint();
    return (value >>> 1) ^ -(value & 1);
  }

  view(length: number): Buffer {
    if (length < 0) throw new RangeError(`a length of ${length}`);
    const at = this.#advance(length);
    return this.buffer.subarray(at, at + length);
  }

  compactString(): string {
    return this.compactNullableString() ?? '';
  }

  compactNullableString(): string | null {
    const length = this.unsignedVarint() - 1;
    return length < 0 ? null : this.view(length).toString('utf8');
  }

  compactBytes(): Buffer | null {
    const length = this.unsignedVarint() - 1;
    return length < 0 ? null : this.view(length);
  }

  /** Null is read as empty. */
  compactArray<T>(entry: () => T): T[] {
    const count = this.unsignedVarint() - 1;
    if (count > this.remaining) throw new RangeError(`an array of ${count} in ${this.remaining} bytes`);
    return Array.from({ length: Math.max(0, count) }, entry);
  }

  int32Array(): number[] {
    return this.compactArray(() => this.int32());
  }

  /** 22 characters of URL-safe base64, as Kafka's own tools show it. */
  uuid(): string {
    return this.view(16).toString('base64url');
  }

  /** Tagged fields: those that `field` does not know are skipped. */
  tags(field?: (tag: number, value: Reader) => void): void {
    for (let count = this.unsignedVarint(); count > 0; count--) {
      const tag = this.unsignedVarint();
      const value = this.view(this.unsignedVarint());
      field?.(tag, new Reader(value));
    }
  }

  #advance(bytes: number): number {
    const at = this.#at;
    if (at + bytes > this.buffer.length)
      throw new RangeError(`${bytes} bytes at ${at} are beyond the end at ${this.buffer.length}`);
    this.#at += bytes;
    return at;
  }
}
