/** Bytes as text that JSON need not escape: 4 bytes, highest first, are 5 letters. https://rfc.zeromq.org/spec/32/ */
import { EosError } from '@eos/core';

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#';

const DIGITS = new Int8Array(128).fill(-1);
for (let digit = 0; digit < ALPHABET.length; digit++) DIGITS[ALPHABET.charCodeAt(digit)] = digit;

/** The text of bytes; zeros are added until their number is a multiple of 4. */
export function encodeZ85(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 4) {
    let word = 0;
    for (let index = at; index < at + 4; index++) word = word * 256 + (bytes[index] ?? 0);
    let letters = '';
    for (let count = 0; count < 5; count++) {
      letters = (ALPHABET[word % 85] ?? '') + letters;
      word = Math.floor(word / 85);
    }
    text += letters;
  }
  return text;
}

/**
 * The bytes of a text, with the zeros that were added.
 * @throws EOS_FORMAT for a text that {@link encodeZ85} cannot have made
 */
export function decodeZ85(text: string): Uint8Array {
  if (text.length % 5 !== 0) throw notZ85(text, `its length ${text.length} is no multiple of 5`);
  const bytes = new Uint8Array((text.length / 5) * 4);
  for (let at = 0, to = 0; at < text.length; at += 5, to += 4) {
    let word = 0;
    for (let index = at; index < at + 5; index++) {
      const digit = DIGITS[text.charCodeAt(index)] ?? -1;
      if (digit < 0) throw notZ85(text, `it has a letter ${JSON.stringify(text[index])}`);
      word = word * 85 + digit;
    }
    if (word > 0xffffffff) throw notZ85(text, `${text.slice(at, at + 5)} is more than 32 bits`);
    for (let index = to + 3; index >= to; index--) {
      bytes[index] = word % 256;
      word = Math.floor(word / 256);
    }
  }
  return bytes;
}

function notZ85(text: string, reason: string): EosError {
  return new EosError(
    'EOS_FORMAT',
    `a deletion vector has a text that is no Z85, for ${reason}: ${text.slice(0, 60)}`,
    {
      details: { text: text.slice(0, 60) },
    },
  );
}
