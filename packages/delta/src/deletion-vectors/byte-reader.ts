import { damaged } from './damaged.js';

/** Reads numbers with the lowest byte first, and never beyond the end. */
export class ByteReader {
  readonly #view: DataView;
  offset = 0;

  constructor(private readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.bytes.length - this.offset;
  }

  uint16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** @throws EOS_FORMAT for one that is not safe */
  uint64(): number {
    const number = Number(this.#view.getBigUint64(this.#take(8), true));
    return Number.isSafeInteger(number) ? number : this.#fail(`${number} is out of range`);
  }

  take(count: number): Uint8Array {
    const start = this.#take(count);
    return this.bytes.subarray(start, start + count);
  }

  #take(count: number): number {
    if (count > this.remaining) return this.#fail('it is cut off');
    const start = this.offset;
    this.offset += count;
    return start;
  }

  #fail(problem: string): never {
    throw damaged(problem);
  }
}
