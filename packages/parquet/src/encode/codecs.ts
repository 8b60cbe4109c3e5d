/** Compression of pages. */
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { EosError } from '@eos/core';
import type { CompressionCodec } from 'hyparquet';
import { snappyCompress } from './snappy.js';

/** `zstd` needs a Node that has it: 22.15, 23.8 or later. gzip and zstd run beside the program's own thread. */
export type Compression = 'none' | 'snappy' | 'gzip' | 'zstd';

export interface Codec {
  /** Its name in the file. */
  readonly codec: CompressionCodec;
  readonly compress: (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>;
}

const gzip = promisify(zlib.gzip);

/** @throws EOS_CONFIG for zstd where Node has none, and for an unknown name */
export function codecOf(compression: Compression): Codec {
  switch (compression) {
    case 'none':
      return { codec: 'UNCOMPRESSED', compress: (bytes) => bytes };
    case 'snappy':
      return { codec: 'SNAPPY', compress: snappyCompress };
    case 'gzip':
      return { codec: 'GZIP', compress: (bytes) => gzip(bytes) };
    case 'zstd':
      return { codec: 'ZSTD', compress: zstd() };
    default:
      throw new EosError(
        'EOS_CONFIG',
        `compression must be none, snappy, gzip or zstd, not ${String(compression)}`,
      );
  }
}

type Compress = (bytes: Uint8Array, done: (error: Error | null, compressed: Buffer) => void) => void;

function zstd(): Codec['compress'] {
  // Its type says nothing of it: Node 20 has none.
  const compress: unknown = Reflect.get(zlib, 'zstdCompress');
  if (isCompress(compress)) return promisify(compress);
  throw new EosError('EOS_CONFIG', `compression zstd needs Node 22.15 or later; this is ${process.version}`);
}

function isCompress(value: unknown): value is Compress {
  return typeof value === 'function';
}
