/**
 * XXH64 with seed 0, in halves of 32 bits: a bigint for each step takes ten times as long.
 * https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md#xxh64-algorithm-description
 */

const PRIME_1 = [0x9e3779b1, 0x85ebca87] as const;
const PRIME_2 = [0xc2b2ae3d, 0x27d4eb4f] as const;
const PRIME_3 = [0x165667b1, 0x9e3779f9] as const;
const PRIME_4 = [0x85ebca77, 0xc2b2ae63] as const;
const PRIME_5 = [0x27d4eb2f, 0x165667c5] as const;

/** The state of one hash: a number of 64 bits, as its two halves. */
export class Xxhash64 {
  high = 0;
  low = 0;

  /** Hashes the bytes from `start` up to `end`; the outcome is in `high` and `low`, as unsigned numbers. */
  hash(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    let at = start;
    if (length >= 32) at = this.stripes(bytes, start, end);
    else this.set(PRIME_5[0], PRIME_5[1]);
    this.add(0, length);
    for (; at + 8 <= end; at += 8) this.absorb8(word(bytes, at), word(bytes, at + 4));
    if (at + 4 <= end) {
      this.absorb4(word(bytes, at));
      at += 4;
    }
    for (; at < end; at++) this.absorb1(bytes[at] ?? 0);
    this.avalanche();
    this.high >>>= 0;
    this.low >>>= 0;
  }

  private absorb8(low: number, high: number): void {
    const [keptHigh, keptLow] = [this.high, this.low];
    this.set(0, 0);
    this.round(low, high);
    this.high ^= keptHigh;
    this.low ^= keptLow;
    this.rotate(27);
    this.multiply(PRIME_1[0], PRIME_1[1]);
    this.add(PRIME_4[0], PRIME_4[1]);
  }

  private absorb4(low: number): void {
    const [keptHigh, keptLow] = [this.high, this.low];
    this.set(0, low);
    this.multiply(PRIME_1[0], PRIME_1[1]);
    this.high ^= keptHigh;
    this.low ^= keptLow;
    this.rotate(23);
    this.multiply(PRIME_2[0], PRIME_2[1]);
    this.add(PRIME_3[0], PRIME_3[1]);
  }

  private absorb1(byte: number): void {
    const [keptHigh, keptLow] = [this.high, this.low];
    this.set(0, byte);
    this.multiply(PRIME_5[0], PRIME_5[1]);
    this.high ^= keptHigh;
    this.low ^= keptLow;
    this.rotate(11);
    this.multiply(PRIME_1[0], PRIME_1[1]);
  }

  /** One step of a lane: `lane = rotate(lane + input * P2, 31) * P1`. */
  private round(low: number, high: number): void {
    const [laneHigh, laneLow] = [this.high, this.low];
    this.set(high, low);
    this.multiply(PRIME_2[0], PRIME_2[1]);
    this.add(laneHigh, laneLow);
    this.rotate(31);
    this.multiply(PRIME_1[0], PRIME_1[1]);
  }

  private stripes(bytes: Uint8Array, start: number, end: number): number {
    const lanes = [new Xxhash64(), new Xxhash64(), new Xxhash64(), new Xxhash64()] as const;
    lanes[0].set(PRIME_1[0], PRIME_1[1]);
    lanes[0].add(PRIME_2[0], PRIME_2[1]);
    lanes[1].set(PRIME_2[0], PRIME_2[1]);
    // Minus the first prime.
    lanes[3].set(~PRIME_1[0], ~PRIME_1[1]);
    lanes[3].add(0, 1);
    let at = start;
    for (; at + 32 <= end; at += 32) {
      for (let lane = 0; lane < 4; lane++) {
        lanes[lane]?.round(word(bytes, at + 8 * lane), word(bytes, at + 8 * lane + 4));
      }
    }
    this.set(0, 0);
    lanes.forEach((lane, number) => {
      const rotated = lane.copy();
      rotated.rotate([1, 7, 12, 18][number] ?? 0);
      this.add(rotated.high, rotated.low);
    });
    for (const lane of lanes) {
      const merged = new Xxhash64();
      merged.round(lane.low, lane.high);
      this.high ^= merged.high;
      this.low ^= merged.low;
      this.multiply(PRIME_1[0], PRIME_1[1]);
      this.add(PRIME_4[0], PRIME_4[1]);
    }
    return at;
  }

  private avalanche(): void {
    // h ^= h >>> 33
    this.low ^= this.high >>> 1;
    this.multiply(PRIME_2[0], PRIME_2[1]);
    // h ^= h >>> 29
    this.low ^= (this.low >>> 29) | (this.high << 3);
    this.high ^= this.high >>> 29;
    this.multiply(PRIME_3[0], PRIME_3[1]);
    // h ^= h >>> 32
    this.low ^= this.high;
  }

  private copy(): Xxhash64 {
    const copy = new Xxhash64();
    copy.set(this.high, this.low);
    return copy;
  }

  private set(high: number, low: number): void {
    this.high = high | 0;
    this.low = low | 0;
  }

  private add(high: number, low: number): void {
    const sum = (this.low >>> 0) + (low >>> 0);
    this.low = sum | 0;
    this.high = (this.high + high + (sum > 0xffffffff ? 1 : 0)) | 0;
  }

  /** By less than 32 bits. */
  private rotate(bits: number): void {
    const { high, low } = this;
    this.high = (high << bits) | (low >>> (32 - bits));
    this.low = (low << bits) | (high >>> (32 - bits));
  }

  private multiply(high: number, low: number): void {
    const carry = multiplyHigh(this.low, low);
    this.high = (carry + Math.imul(this.high, low) + Math.imul(this.low, high)) | 0;
    this.low = Math.imul(this.low, low);
  }
}

/** The upper half of the product of two unsigned numbers of 32 bits. */
function multiplyHigh(left: number, right: number): number {
  const [leftHigh, leftLow] = [left >>> 16, left & 0xffff];
  const [rightHigh, rightLow] = [right >>> 16, right & 0xffff];
  const middle = leftHigh * rightLow + ((leftLow * rightLow) >>> 16);
  const other = leftLow * rightHigh + (middle & 0xffff);
  return (leftHigh * rightHigh + Math.floor(middle / 65_536) + (other >>> 16)) | 0;
}

function word(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24)
  );
}
