/** The bytes of a file, as they lie on disk or unpacked. */
import type { FileHandle } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import { constants, createGunzip } from 'node:zlib';
import { EosError, isEosError, messageOf } from '../errors.js';
import type { FilePlace } from './file-identity.js';
import type { ByteInput } from './text-window.js';

/** Reads by position, so that starting in the middle costs nothing. */
export function plainInput(handle: FileHandle, file: FilePlace, offset: number): ByteInput {
  let position = offset;
  return {
    async read(buffer, at, length) {
      try {
        const { bytesRead } = await handle.read(buffer, at, length, position);
        position += bytesRead;
        return bytesRead;
      } catch (error) {
        throw unavailable(file, error);
      }
    },
  };
}

export interface GzipInput extends ByteInput {
  /** How much of the file was read so far. */
  readonly packedBytes: number;
  close(): void;
}

/**
 * Unpacks from the file's start; several members make one text.
 * @param growing whether a file may end within a member, because it is still being written
 */
export function gzipInput(handle: FileHandle, file: FilePlace, growing: boolean): GzipInput {
  let packedBytes = 0;
  const packed = chunksOf(handle, file, (length) => {
    packedBytes += length;
  });
  const gunzip = createGunzip({
    chunkSize: CHUNK_BYTES,
    ...(growing ? { finishFlush: constants.Z_SYNC_FLUSH } : {}),
  });
  // The iterator throws the errors that this callback is given.
  const text: AsyncIterator<unknown> = pipeline(
    Readable.from(packed, { objectMode: false }),
    gunzip,
    () => undefined,
  )[Symbol.asyncIterator]();
  let chunk: Buffer = Buffer.alloc(0);
  let unpacked = 0;
  return {
    get packedBytes() {
      return packedBytes;
    },
    async read(buffer, at, length) {
      if (chunk.length === 0) {
        const next = await text.next().catch((error: unknown) => {
          throw isEosError(error) ? error : damaged(file, unpacked, error);
        });
        if (next.done === true || !Buffer.isBuffer(next.value)) return 0;
        chunk = next.value;
      }
      const copied = chunk.copy(buffer, at, 0, Math.min(length, chunk.length));
      chunk = chunk.subarray(copied);
      unpacked += copied;
      return copied;
    },
    close: () => gunzip.destroy(),
  };
}

const CHUNK_BYTES = 128 * 1024;

async function* chunksOf(
  handle: FileHandle,
  file: FilePlace,
  onRead: (length: number) => void,
): AsyncGenerator<Buffer> {
  const input = plainInput(handle, file, 0);
  for (;;) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const length = await input.read(chunk, 0, CHUNK_BYTES);
    if (length === 0) return;
    onRead(length);
    yield chunk.subarray(0, length);
  }
}

/** The error of a file that could not be read. Worth another try, unless it is not there or not to be read. */
export function unavailable({ path, partition }: FilePlace, error: unknown): EosError {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  const retryable =
    code !== 'ENOENT' && code !== 'ENOTDIR' && code !== 'EACCES' && code !== 'EPERM' && code !== 'EISDIR';
  return new EosError('EOS_SOURCE_UNAVAILABLE', `${path} could not be read: ${messageOf(error)}`, {
    cause: error,
    retryable,
    details: { partition, path },
  });
}

function damaged({ path, partition }: FilePlace, unpacked: number, error: unknown): EosError {
  return new EosError(
    'EOS_SOURCE_FORMAT',
    `${path} is damaged or cut as a gzip file, behind offset ${unpacked} of its text: ${messageOf(error)}`,
    { cause: error, details: { partition, path, offset: BigInt(unpacked) } },
  );
}
