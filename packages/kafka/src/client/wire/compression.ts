import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { KafkaClientError } from '../client-error.js';
import { ATTRIBUTE, FIELD, HEAD_BYTES } from './batch-format.js';
import { crc32c } from './crc32c.js';

/** Codecs by their number in a record batch. */
const NAMES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

export type Codec = (typeof NAMES)[number];

/** Takes the records of a batch out of their compression. */
export type Decompress = (packed: Buffer) => Buffer;

const registered = new Map<Codec, Decompress>([['gzip', zlib.gunzipSync]]);

/** Puts the records of a batch into their compression, beside what this thread does. */
type Compress = (records: Buffer) => Promise<Buffer>;

// Node 22.15 and later; the types of an older one do not know them.
const { zstdDecompressSync, zstdCompress } = zlib as {
  readonly zstdDecompressSync?: Decompress;
  readonly zstdCompress?: typeof zlib.gzip;
};
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

/** Codecs that batches can be written with. */
export type WrittenCodec = 'gzip' | 'zstd';

const COMPRESSORS: Readonly<Record<WrittenCodec, Compress | undefined>> = {
  gzip: promisify<Buffer, Buffer>(zlib.gzip),
  zstd: zstdCompress === undefined ? undefined : promisify<Buffer, Buffer>(zstdCompress),
};

/** Whether this Node has the codec. */
export function canCompress(codec: WrittenCodec): boolean {
  return COMPRESSORS[codec] !== undefined;
}

/** A finished batch with its records compressed, and a checksum of that; the batch as it is where that would make it no smaller. */
export async function compressBatch(batch: Buffer, codec: WrittenCodec): Promise<Buffer> {
  const packed = await COMPRESSORS[codec]?.(batch.subarray(HEAD_BYTES));
  if (packed === undefined || HEAD_BYTES + packed.length >= batch.length) return batch;
  const compressed = Buffer.concat([batch.subarray(0, HEAD_BYTES), packed]);
  compressed.writeInt32BE(compressed.length - FIELD.leaderEpoch, FIELD.length);
  const attributes = compressed.readInt16BE(FIELD.attributes) & ~ATTRIBUTE.compression;
  compressed.writeInt16BE(attributes | NAMES.indexOf(codec), FIELD.attributes);
  compressed.writeUInt32BE(crc32c(compressed, FIELD.attributes), FIELD.checksum);
  return compressed;
}
