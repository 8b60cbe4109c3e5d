/**
 * A hash of 128 bits for stretches of bytes, in the manner of MurmurHash3 (x86, 128 bits): fast in plain JavaScript, no object per row.
 * It tells honest rows apart; the seed is random, so that nobody can prepare rows that collide.
 */
export class RowHash {
  /** The hash of the last {@link of}: four integers of 32 bits. */
  a = 0;
  b = 0;
  c = 0;
  d = 0;
  readonly #tail = new Uint8Array(16);

  constructor(private readonly seed: number) {}

  /** Hashes `bytes[start … end)`. */
  of(bytes: Uint8Array, start: number, end: number): void {
    this.a = this.b = this.c = this.d = this.seed;
    let at = start;
    for (; at + 16 <= end; at += 16) this.#mix(bytes, at);
    if (at < end) {
      this.#tail.fill(0);
      for (let index = 0; at + index < end; index++) this.#tail[index] = bytes[at + index] ?? 0;
      this.#mix(this.#tail, 0);
    }
    // The length tells a row from the same row with zeros behind it.
    this.#finish(end - start);
  }

  #mix(bytes: Uint8Array, at: number): void {
    let { a, b, c, d } = this;
    a ^= imul(rotate(imul(word(bytes, at), C1), 15), C2);
    a = (imul(rotate(a, 19) + b, 5) + 0x561ccd1b) | 0;
    b ^= imul(rotate(imul(word(bytes, at + 4), C2), 16), C3);
    b = (imul(rotate(b, 17) + c, 5) + 0x0bcaa747) | 0;
    c ^= imul(rotate(imul(word(bytes, at + 8), C3), 17), C4);
    c = (imul(rotate(c, 15) + d, 5) + 0x96cd1c35) | 0;
    d ^= imul(rotate(imul(word(bytes, at + 12), C4), 18), C1);
    d = (imul(rotate(d, 13) + a, 5) + 0x32ac3b17) | 0;
    this.a = a;
    this.b = b;
    this.c = c;
    this.d = d;
  }

  #finish(length: number): void {
    let { a, b, c, d } = this;
    a ^= length;
    b ^= length;
    c ^= length;
    d ^= length;
    a = (a + b + c + d) | 0;
    b = avalanche((a + b) | 0);
    c = avalanche((a + c) | 0);
    d = avalanche((a + d) | 0);
    a = (avalanche(a) + b + c + d) | 0;
    this.a = a;
    this.b = (a + b) | 0;
    this.c = (a + c) | 0;
    this.d = (a + d) | 0;
  }
}

/** By a name of this module: a lookup in the global object for each word costs more than the hash where that is not the plain one. */
const { imul } = Math;

const C1 = 0x239b961b;
const C2 = 0xab0e9789;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93;

function word(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24)
  );
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** Every bit of the input changes about half of the output's. */
function avalanche(value: number): number {
  value ^= value >>> 16;
  value = imul(value, 0x85ebca6b);
  value ^= value >>> 13;
  value = imul(value, 0xc2b2ae35);
  return value ^ (value >>> 16);
}
