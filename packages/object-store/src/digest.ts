import { createHash } from 'node:crypto';

/** SHA-256 in hex. */
export function sha256Of(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('hex');
}
