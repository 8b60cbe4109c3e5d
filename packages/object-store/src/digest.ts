import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** SHA-256 in hex. */
export function sha256Of(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('hex');
}

/** CRC-32 as S3 writes it: base64 of the four bytes, the highest first. */
export function crc32Of(body: Uint8Array): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(body));
  return bytes.toString('base64');
}
