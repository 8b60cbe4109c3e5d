/** Bytes on their way into a file, as they are or compressed. */
import { once } from 'node:events';
import type { Transform } from 'node:stream';
import zlib, { createGzip } from 'node:zlib';
import type { FileCompression } from './settings.js';

/** Takes bytes in order, one call at a time; they may be used again when it has returned. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<void>;
  /** No more will come: whatever is held back is written. */
  end(): Promise<void>;
}

/** Makes a stream that compresses by zstd; undefined where this Node has none (before 22.15). */
export const createZstd: (() => Transform) | undefined = zstdOf(zlib);

function zstdOf(library: object): (() => Transform) | undefined {
  const create: unknown = Reflect.get(library, 'createZstdCompress');
  // Its types come with the types of a newer Node.
  return typeof create === 'function' ? () => Reflect.apply(create, library, []) as Transform : undefined;
}

/** What is written goes to `write`, compressed. Memory: a few windows of the compressor. */
export function compressed(compression: FileCompression, write: ByteSink['write']): ByteSink {
  if (compression === 'gzip') return throughStream(createGzip(), write);
  if (compression === 'zstd' && createZstd !== undefined) return throughStream(createZstd(), write);
  return { write, end: async () => {} };
}

function throughStream(stream: Transform, write: ByteSink['write']): ByteSink {
  const drained = (async () => {
    for await (const chunk of stream) await write(asBytes(chunk));
  })();
  // Whoever writes next, or ends, is told.
  drained.catch(() => undefined);
  return {
    async write(bytes) {
      // The stream keeps what it has not compressed yet, and the caller uses its buffer again.
      if (stream.write(Buffer.from(bytes))) return;
      await Promise.race([once(stream, 'drain'), failureOf(drained)]);
    },
    async end() {
      stream.end();
      await drained;
    },
  };
}

/** Rejects where `work` does, and never resolves. */
async function failureOf(work: Promise<void>): Promise<never> {
  await work;
  return await new Promise<never>(() => undefined);
}

function asBytes(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  throw new TypeError('a stream of bytes gave something else');
}
