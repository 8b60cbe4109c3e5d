/** Runs and packed bits, back into numbers: never more than were announced, whatever the bytes say. */
import { malformed } from './byte-source.js';

/** Reads `count` numbers of `width` bits, 0 to 32, that begin at `start`. */
export function readRuns(bytes: Uint8Array, start: number, width: number, count: number): Int32Array {
  const numbers = new Int32Array(count);
  let [at, filled] = [start, 0];
  while (filled < count) {
    let [header, shift] = [0, 0];
    for (;;) {
      const byte = bytes[at++];
      if (byte === undefined || shift > 28) throw malformed('a run is cut off');
      header |= (byte & 0x7f) << shift;
      shift += 7;
      if (byte < 0x80) break;
    }
    header >>>= 0;
    if ((header & 1) === 0) {
      const length = header >>> 1;
      let number = 0;
      for (let bits = 0; bits < width; bits += 8) number |= (bytes[at++] ?? 0) << bits;
      const end = Math.min(count, filled + length);
      if (length === 0) throw malformed('a run is empty');
      numbers.fill(number, filled, end);
      filled = end;
    } else {
      const groups = header >>> 1;
      if (groups === 0) throw malformed('a run is empty');
      const end = Math.min(count, filled + 8 * groups);
      unpack(bytes, at, width, numbers, filled, end);
      at += groups * width;
      filled = end;
    }
  }
  return numbers;
}

function unpack(
  bytes: Uint8Array,
  start: number,
  width: number,
  numbers: Int32Array,
  from: number,
  to: number,
): void {
  if (start + Math.ceil(((to - from) * width) / 8) > bytes.length)
    throw malformed('packed numbers are cut off');
  const mask = width === 32 ? 0xffffffff : (1 << width) - 1;
  let at = start;
  // In doubles where 32 bits do not hold what is left over and one number more.
  if (width > 24) {
    for (let index = from; index < to; index++)
      numbers[index] = wide(bytes, start, (index - from) * width, width);
    return;
  }
  let [buffer, available] = [0, 0];
  for (let index = from; index < to; index++) {
    while (available < width) {
      buffer |= (bytes[at++] ?? 0) << available;
      available += 8;
    }
    numbers[index] = buffer & mask;
    buffer >>>= width;
    available -= width;
  }
}

function wide(bytes: Uint8Array, start: number, bit: number, width: number): number {
  let number = 0;
  for (let index = 0; index < width; index++) {
    const position = bit + index;
    const byte = bytes[start + (position >> 3)] ?? 0;
    number |= ((byte >> (position & 7)) & 1) << index;
  }
  return number;
}
