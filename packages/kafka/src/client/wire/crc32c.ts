/** CRC-32C (Castagnoli), which Kafka's record batches carry. Eight bytes at a time, by tables ("slicing by eight"). */

const POLYNOMIAL = 0x82f63b78;
const TABLES = tables();

function tables(): Int32Array {
  const all = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
    all[byte] = value;
  }
  for (let slice = 1; slice < 8; slice++) {
    for (let byte = 0; byte < 256; byte++) {
      const before = all[(slice - 1) * 256 + byte] ?? 0;
      all[slice * 256 + byte] = (before >>> 8) ^ (all[before & 0xff] ?? 0);
    }
  }
  return all;
}

/** The checksum of `bytes[start … end)`, as an unsigned number. */
export function crc32c(bytes: Buffer, start = 0, end = bytes.length): number {
  let crc = -1;
  let at = start;
  for (const stop = end - 7; at < stop; at += 8) {
    crc ^=
      byteAt(bytes, at) |
      (byteAt(bytes, at + 1) << 8) |
      (byteAt(bytes, at + 2) << 16) |
      (byteAt(bytes, at + 3) << 24);
    crc =
      entry(1792 + (crc & 0xff)) ^
      entry(1536 + ((crc >>> 8) & 0xff)) ^
      entry(1280 + ((crc >>> 16) & 0xff)) ^
      entry(1024 + (crc >>> 24)) ^
      entry(768 + byteAt(bytes, at + 4)) ^
      entry(512 + byteAt(bytes, at + 5)) ^
      entry(256 + byteAt(bytes, at + 6)) ^
      entry(byteAt(bytes, at + 7));
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ entry((crc ^ byteAt(bytes, at)) & 0xff);
  return ~crc >>> 0;
}

/** Within bounds by the loop above: a fallback for undefined would cost a tenth. */
function byteAt(bytes: Buffer, at: number): number {
  return bytes[at] as number;
}

function entry(at: number): number {
  return TABLES[at] as number;
}
