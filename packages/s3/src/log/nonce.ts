import { randomBytes } from 'node:crypto';

/** 128 random bits, in hex. */
export function newNonce(): string {
  return randomBytes(16).toString('hex');
}
