/** CRC-32C (Castagnoli), which Kafka's record batches carry. Sixteen bytes at a time, by tables ("slicing by sixteen"). */

const POLYNOMIAL = 0x82f63b78;
const SLICES = 16;
const TABLES = tables();
/** Words of memory are read as this machine orders their bytes: the tables want the first byte lowest. */
const IS_LITTLE_ENDIAN = new Uint8Array(Int32Array.of(1).buffer)[0] === 1;

function tables(): Int32Array {
  const all = new Int32Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
    all[byte] = value;
  }
  for (let slice = 1; slice < SLICES; slice++) {
    for (let byte = 0; byte < 256; byte++) {
      const before = all[(slice - 1) * 256 + byte] ?? 0;
      all[slice * 256 + byte] = (before >>> 8) ^ (all[before & 0xff] ?? 0);
    }
  }
  return all;
}

/** The checksum of `bytes[start … end)`, as an unsigned number. */
export function crc32c(bytes: Buffer, start = 0, end = bytes.length): number {
  if (!IS_LITTLE_ENDIAN) return ~byBytes(-1, bytes, start, end) >>> 0;
  // Words lie at addresses that four divides.
  const first = Math.min(end, start + (-(bytes.byteOffset + start) & 3));
  const words = ((end - first) >>> 4) * 4;
  let crc = byBytes(-1, bytes, start, first);
  if (words > 0) crc = byWords(crc, new Int32Array(bytes.buffer, bytes.byteOffset + first, words));
  return ~byBytes(crc, bytes, first + words * 4, end) >>> 0;
}

function byBytes(before: number, bytes: Buffer, start: number, end: number): number {
  let crc = before;
  for (let at = start; at < end; at++) crc = (crc >>> 8) ^ entry((crc ^ (bytes[at] as number)) & 0xff);
  return crc;
}

/** @param words a multiple of four of them */
function byWords(before: number, words: Int32Array): number {
  let crc = before;
  for (let at = 0; at < words.length; at += 4) {
    crc =
      slice(crc ^ word(words, at), 3072) ^
      slice(word(words, at + 1), 2048) ^
      slice(word(words, at + 2), 1024) ^
      slice(word(words, at + 3), 0);
  }
  return crc;
}

/** What four bytes come to, whose last one is looked up in the table at `table`. */
function slice(four: number, table: number): number {
  return (
    entry(table + 768 + (four & 0xff)) ^
    entry(table + 512 + ((four >>> 8) & 0xff)) ^
    entry(table + 256 + ((four >>> 16) & 0xff)) ^
    entry(table + (four >>> 24))
  );
}

/** Within bounds by the loops above: a fallback for undefined would cost a tenth. */
function word(words: Int32Array, at: number): number {
  return words[at] as number;
}

function entry(at: number): number {
  return TABLES[at] as number;
}
