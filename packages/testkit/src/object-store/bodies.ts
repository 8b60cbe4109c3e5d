import { createHash } from 'node:crypto';

/** A body that tells whether it is whole: a label, a filling made from it, and the digest of both. */
export function labelledBody(label: string, bytes: number): Buffer {
  const head = Buffer.from(`${label}\n`);
  const filling = Buffer.alloc(Math.max(0, bytes - head.length - DIGEST_BYTES), label);
  return Buffer.concat([head, filling, digestOf(head, filling)]);
}

/** The label of a body that is whole, else what is wrong with it. */
export function labelOf(body: Uint8Array): string {
  const buffer = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const end = buffer.length - DIGEST_BYTES;
  if (end <= 0) return `torn: only ${buffer.length} bytes`;
  if (!digestOf(buffer.subarray(0, end)).equals(buffer.subarray(end))) return `torn: ${buffer.length} bytes`;
  return buffer.subarray(0, buffer.indexOf('\n')).toString();
}

const DIGEST_BYTES = 32;

function digestOf(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
