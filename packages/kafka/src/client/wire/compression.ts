import * as zlib from 'node:zlib';
import { KafkaClientError } from '../client-error.js';

/** Codecs by their number in a record batch. */
const NAMES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

export type Codec = (typeof NAMES)[number];

/** Takes the records of a batch out of their compression. */
export type Decompress = (packed: Buffer) => Buffer;

const registered = new Map<Codec, Decompress>([['gzip', zlib.gunzipSync]]);

// Node 22.15 and later; the types of an older one do not know it.
const { zstdDecompressSync } = zlib as { readonly zstdDecompressSync?: Decompress };
if (zstdDecompressSync !== undefined) registered.set('zstd', zstdDecompressSync);

/**
 * Teaches the reader a codec for this process: snappy and lz4, and zstd on a Node that lacks it, come from packages of the user's choice.
 * @example registerCodec('snappy', (packed) => snappy.uncompressSync(packed));
 */
export function registerCodec(codec: Codec, decompress: Decompress): void {
  registered.set(codec, decompress);
}

/** @throws {KafkaClientError} UNSUPPORTED_COMPRESSION_TYPE where nobody has registered the codec */
export function decompress(number: number, packed: Buffer): Buffer {
  const name = NAMES[number];
  const known = name === undefined ? undefined : registered.get(name);
  if (known !== undefined) return known(packed);
  const message = `records are compressed by ${name ?? `codec ${number}`}, which this process cannot read: call registerCodec for it`;
  throw new KafkaClientError(message, { kind: 'refused', error: 'UNSUPPORTED_COMPRESSION_TYPE' });
}
