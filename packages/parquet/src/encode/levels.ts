/** Small numbers as runs and packed bits: https://github.com/apache/parquet-format/blob/master/Encodings.md#RLE */

/** Runs of at least so many are written as such; bits are packed in groups of so many. */
const GROUP = 8;

/** The numbers from `start` up to `end`, each of `width` bits, 1 to 24. */
export function runsAndBits(
  numbers: Uint8Array | Int32Array,
  start: number,
  end: number,
  width: number,
): Uint8Array {
  const encoder = new Encoder(end - start, width);
  let packed = start;
  for (let at = start; at < end;) {
    const number = numbers[at] ?? 0;
    let next = at + 1;
    while (next < end && numbers[next] === number) next += 1;
    if (next - at >= GROUP) {
      encoder.bits(numbers, packed, at);
      encoder.run(number, next - at);
      at = packed = next;
    } else {
      // Only the last group may be padded.
      at += GROUP;
    }
  }
  if (packed < end) encoder.bits(numbers, packed, end);
  return encoder.bytes();
}

class Encoder {
  private readonly out: Uint8Array;
  private length = 0;

  constructor(
    count: number,
    private readonly width: number,
  ) {
    // A run takes at most 5 + 3 bytes and stands for 8 numbers; packed bits have a header of 5 bytes between two runs.
    this.out = new Uint8Array(Math.ceil((count * (width + 13)) / 8) + width + 16);
  }

  run(number: number, count: number): void {
    this.header(count * 2);
    for (let bits = 0; bits < this.width; bits += 8) this.out[this.length++] = number >>> bits;
  }

  bits(numbers: Uint8Array | Int32Array, start: number, end: number): void {
    if (start >= end) return;
    const groups = Math.ceil((end - start) / GROUP);
    this.header(groups * 2 + 1);
    const { out, width } = this;
    let { length } = this;
    let [buffer, filled] = [0, 0];
    for (let at = start; at < start + groups * GROUP; at++) {
      buffer |= (at < end ? (numbers[at] ?? 0) : 0) << filled;
      filled += width;
      while (filled >= 8) {
        out[length++] = buffer;
        buffer >>>= 8;
        filled -= 8;
      }
    }
    this.length = length;
  }

  private header(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.out[this.length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.out[this.length++] = rest;
  }

  bytes(): Uint8Array {
    return this.out.subarray(0, this.length);
  }
}
