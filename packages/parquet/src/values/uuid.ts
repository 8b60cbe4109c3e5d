/** UUIDs as text and as 16 bytes, in the order in which they are written. */

const DIGITS = new Int8Array(128).fill(-1);
for (let digit = 0; digit < 16; digit++) {
  DIGITS[digit.toString(16).charCodeAt(0)] = digit;
  DIGITS[digit.toString(16).toUpperCase().charCodeAt(0)] = digit;
}

const HYPHEN = 0x2d;

/** Writes the bytes of 8-4-4-4-12 hexadecimal digits; false where the text is something else. */
export function writeUuid(target: Uint8Array, offset: number, text: string): boolean {
  if (text.length !== 36) return false;
  let at = offset;
  for (let index = 0; index < 36;) {
    if (index === 8 || index === 13 || index === 18 || index === 23) {
      if (text.charCodeAt(index) !== HYPHEN) return false;
      index += 1;
      continue;
    }
    const high = DIGITS[text.charCodeAt(index)] ?? -1;
    const low = DIGITS[text.charCodeAt(index + 1)] ?? -1;
    if (high < 0 || low < 0) return false;
    target[at] = (high << 4) | low;
    at += 1;
    index += 2;
  }
  return true;
}

/** The text of 16 bytes, in lower case. */
export function uuidText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
