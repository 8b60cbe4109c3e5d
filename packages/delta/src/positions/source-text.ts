/**
 * The identity of a source as numbers. A digest alone would not do: sources judge by parts of an identity, such as the digest of a file's
 * first bytes while its size may have grown, so that what is stored has to come back as it was. Its text is packed, and cut into pieces
 * of seven bytes, each of which is a positive number.
 */
import { createHash } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { canonicalText, MAX_INT64, type SourceIdentity } from '@eos/core';

const PIECE_BYTES = 7;

/** Tables of the size of an identity: zlib clears them anew each time. */
const DEFLATE = { level: 9, windowBits: 10, memLevel: 4 } as const;

/** An identity is a few hundred bytes; more than this is damage. */
const MAX_TEXT_BYTES = 1_048_576;

export interface SourceNumbers {
  readonly digest: bigint;
  /** Bytes of all pieces together. */
  readonly bytes: number;
  readonly pieces: readonly bigint[];
}

/** A commit that loses a race states its source again. */
const known = new WeakMap<SourceIdentity, SourceNumbers>();

export function sourceNumbers(source: SourceIdentity): SourceNumbers {
  let numbers = known.get(source);
  if (numbers === undefined) {
    numbers = packedNumbers(canonicalText(source));
    known.set(source, numbers);
  }
  return numbers;
}

function packedNumbers(text: string): SourceNumbers {
  const packed = deflateRawSync(Buffer.from(text), DEFLATE);
  const pieces: bigint[] = [];
  for (let at = 0; at < packed.length; at += PIECE_BYTES) {
    const piece = packed.subarray(at, at + PIECE_BYTES);
    pieces.push(BigInt(`0x${piece.toString('hex')}`));
  }
  return { digest: digestOf(text), bytes: packed.length, pieces };
}

/** The identity; undefined where the numbers are not those of one. */
export function sourceOf({ digest, bytes, pieces }: SourceNumbers): SourceIdentity | undefined {
  const packed = Buffer.concat(
    pieces.map((piece, index) => {
      const length = Math.min(PIECE_BYTES, bytes - index * PIECE_BYTES);
      return Buffer.from(piece.toString(16).padStart(2 * length, '0'), 'hex');
    }),
  );
  if (packed.length !== bytes) return undefined;
  try {
    const text = inflateRawSync(packed, { maxOutputLength: MAX_TEXT_BYTES }).toString();
    return digestOf(text) === digest ? identityOf(JSON.parse(text)) : undefined;
  } catch {
    // Told by whoever knows which record it is.
    return undefined;
  }
}

export function pieceCount(bytes: number): number {
  return Math.ceil(bytes / PIECE_BYTES);
}

function identityOf(value: unknown): SourceIdentity | undefined {
  return isIdentity(value) ? value : undefined;
}

/** What JSON.parse returns is JSON: only its outer shape needs a look. */
function isIdentity(value: unknown): value is SourceIdentity {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The first 63 bits of SHA-256. */
export function digestOf(text: string): bigint {
  return createHash('sha256').update(text).digest().readBigUInt64BE() & MAX_INT64;
}
