/** By what a file is known again: digests of the text in front of an offset. */
import { createHash, type Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { EosError } from '../errors.js';
import type { PartitionId } from '../identifiers.js';
import type { Position, SourceIdentity } from '../positions.js';

const BYTE_ORDER_MARK = Buffer.from('\uFEFF');

/** How much of the text's start and of what is in front of the offset is digested. */
export const DIGEST_BYTES = 4096;

/**
 * The text in front of `offset`, as far as its identity needs it. It is fed with the bytes that were handed out, not read again
 * from the file: what is digested is what was read, even where the file changes meanwhile.
 */
export class Prefix {
  #offset = 0;
  #head: Buffer = Buffer.alloc(0);
  #tail: Buffer = Buffer.alloc(0);
  #hash: Hash | undefined;

  /** @param isFull whether the whole prefix is hashed too; only for one that starts at 0 */
  constructor(isFull: boolean) {
    if (isFull) this.#hash = createHash('sha256');
  }

  /** The prefix of a file, by its first and last bytes only. Shorter than `offset` where the file is. */
  static async of(handle: FileHandle, offset: number): Promise<Prefix> {
    const prefix = new Prefix(false);
    const length = Math.min(offset, DIGEST_BYTES);
    prefix.#head = await readExactly(handle, 0, length);
    prefix.#tail = await readExactly(handle, offset - length, length);
    prefix.#offset = prefix.#tail.length < length ? prefix.#tail.length : offset;
    return prefix;
  }

  get offset(): number {
    return this.#offset;
  }

  /** The byte in front of the offset; undefined where that is the start of the text, behind a byte order mark or not. */
  get lastByte(): number | undefined {
    return this.#tail.equals(BYTE_ORDER_MARK) ? undefined : this.#tail.at(-1);
  }

  /** Moves the offset over `buffer[from … to)`. */
  advance(buffer: Buffer, from: number, to: number): void {
    const added = buffer.subarray(from, to);
    if (added.length === 0) return;
    this.#hash?.update(added);
    this.#offset += added.length;
    if (this.#head.length < DIGEST_BYTES) {
      this.#head = Buffer.concat([this.#head, added.subarray(0, DIGEST_BYTES - this.#head.length)]);
    }
    // Copied, and never changed again: a snapshot may hold it as long as it likes, the window's buffer not.
    const kept = Math.max(0, DIGEST_BYTES - added.length);
    const old = kept === 0 ? [] : [this.#tail.subarray(Math.max(0, this.#tail.length - kept))];
    this.#tail = Buffer.concat([...old, added.subarray(Math.max(0, added.length - DIGEST_BYTES))]);
  }

  /** What is needed to compute the digests of this moment later. */
  snapshot(): () => PrefixDigests {
    const head = this.#head;
    const tail = this.#tail;
    const hash = this.#hash?.copy();
    return () => ({
      head: sha256(head),
      tail: sha256(tail),
      ...(hash === undefined ? {} : { prefix: hash.copy().digest('hex') }),
    });
  }
}

export interface PrefixDigests {
  /** SHA-256 of the first min(4 KiB, offset) bytes. */
  readonly head: string;
  /** SHA-256 of the last min(4 KiB, offset) bytes in front of the offset. */
  readonly tail: string;
  /** SHA-256 of all bytes in front of the offset: only with `verify: 'full'`. */
  readonly prefix?: string;
}

/** What is stored with an offset in a file. */
export interface FileState extends PrefixDigests {
  /** Of the file as it lies on disk, in bytes: compressed, where it is. */
  readonly size: number;
  /** For a gzip file, whose offset, head, tail and prefix are those of the text that is in it. */
  readonly compression?: 'gzip';
  /** Where the text ended behind the offset, without another record. */
  readonly end?: true;
  /** With `end`, for a gzip file: SHA-256 of the first and last 4 KiB on disk, so that a finished one need not be unpacked again. */
  readonly compressed?: string;
}

export function fileIdentity(state: FileState): SourceIdentity {
  return { kind: 'file', ...state, size: state.size.toString() };
}

/** SHA-256 of the first and the last 4 KiB of a file. */
export async function edgesOnDisk(handle: FileHandle, size: number): Promise<string> {
  const length = Math.min(size, DIGEST_BYTES);
  return sha256(
    Buffer.concat([await readExactly(handle, 0, length), await readExactly(handle, size - length, length)]),
  );
}

/** What an earlier run stored, as far as it is needed. */
export interface StoredState {
  readonly offset: number;
  readonly end: boolean;
  readonly size: unknown;
  readonly compressed: unknown;
  readonly identity: SourceIdentity;
}

/** @throws EOS_SOURCE_CHANGED where the position does not count in a file */
export function storedState(file: FilePlace, position: Position, offset: bigint): StoredState {
  const identity = position.source ?? {};
  const state = { offset: Number(offset), identity };
  if (identity['kind'] !== 'file') {
    throw changedError(
      file,
      state,
      'kind',
      'the stored position does not count in a file',
      'file',
      identity['kind'],
    );
  }
  return {
    ...state,
    end: identity['end'] === true,
    size: identity['size'],
    compressed: identity['compressed'],
  };
}

/**
 * Compares what was stored with what is found in front of the same offset.
 * @throws EOS_SOURCE_CHANGED naming what differs
 */
export function judgeState(
  file: FilePlace,
  stored: StoredState,
  found: PrefixDigests & { readonly compression?: 'gzip' },
): void {
  for (const name of ['compression', 'head', 'tail', 'prefix'] as const) {
    const expected = stored.identity[name];
    // One of the two may not have been read in full.
    if (name === 'prefix' && (expected === undefined || found.prefix === undefined)) continue;
    if (expected !== found[name])
      throw changedError(file, stored, name, WHAT_DIFFERS[name], expected, found[name]);
  }
}

const WHAT_DIFFERS = {
  compression: 'one of the two is packed with gzip, the other not',
  head: 'it begins with other bytes',
  tail: 'there are other bytes in front of that offset',
  prefix: 'there is other text in front of that offset',
};

export interface FilePlace {
  readonly path: string;
  readonly partition: PartitionId;
}

/** The error of a file that ends before an offset that was read. */
export function shorterError(file: FilePlace, stored: { readonly offset: number }, size: number): EosError {
  return changedError(file, stored, 'size', `it ends at ${size}`, stored.offset, size);
}

function changedError(
  { path, partition }: FilePlace,
  { offset }: { readonly offset: number },
  differs: string,
  what: string,
  expected: unknown,
  found: unknown,
): EosError {
  return new EosError(
    'EOS_SOURCE_CHANGED',
    `${path} (partition ${partition}) is not what was read up to offset ${offset}: ${what}. ` +
      `Put that file back and give new content a new name, or start over under another pipeline id`,
    { details: { partition, path, offset: BigInt(offset), differs, expected, found } },
  );
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Fewer bytes than asked for only where the file ends. */
async function readExactly(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let at = 0;
  while (at < length) {
    const { bytesRead } = await handle.read(buffer, at, length - at, position + at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return buffer.subarray(0, at);
}
