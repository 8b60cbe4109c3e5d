import { EosError } from '@eos/core';

/** S3's limit, in bytes of UTF-8. */
const MAX_KEY_BYTES = 1_024;
// What XML 1.0 cannot carry, and so no listing of S3: control characters, U+FFFE, U+FFFF, halves of surrogate pairs.
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const UNLISTABLE = /[\u0000-\u001f\u007f\ufffe\uffff]|\p{Surrogate}/u;

/**
 * Keys that every store can hold: 1 to 1,024 bytes of UTF-8, segments between `/` that are neither empty nor `.` or `..` (some
 * stores take keys for paths), and no control character.
 * @throws EOS_CONFIG with the key in `details.key`
 */
export function checkKey(key: string): void {
  const fault = faultOf(key);
  if (fault === undefined) return;
  throw new EosError('EOS_CONFIG', `the key ${JSON.stringify(key)} ${fault}`, {
    details: { option: 'key', key },
  });
}

function faultOf(key: string): string | undefined {
  if (typeof key !== 'string' || key === '') return 'must be a text of at least one character';
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) return `is longer than ${MAX_KEY_BYTES} bytes`;
  if (UNLISTABLE.test(key)) return 'holds a control character or half a surrogate pair: encode it';
  if (/(^|\/)\.{0,2}(\/|$)/.test(key)) return 'has a segment that is empty, "." or ".."';
  return undefined;
}

/** The order of listings: by bytes of UTF-8, which JavaScript's own comparison is not. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const [left, right] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (left === right) continue;
    // Only from halves of pairs on does the order of bytes differ from that of code units.
    return left < FIRST_SURROGATE && right < FIRST_SURROGATE
      ? left - right
      : Buffer.compare(Buffer.from(a), Buffer.from(b));
  }
  return a.length - b.length;
}

const FIRST_SURROGATE = 0xd800;
