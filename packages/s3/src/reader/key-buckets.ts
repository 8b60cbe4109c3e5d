/**
 * The last change of each key, of more keys than fit into memory: keys are parted into files by a hash, each file's in the order of their
 * coming, and each file is folded by itself. Rows are not kept, only which of them are left.
 */
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** 100 million changes are 400,000 in each. */
const BUCKETS = 256;
/** Of each bucket, in memory: nothing is written to disk before. */
const BLOCK_BYTES = 65_536;
/** In front of a key: the number of its change (48 bits), whether it takes the row away, the length of the key. */
const HEAD_BYTES = 11;

/** One bit a change: whether it is the last one of its key, and leaves a row. */
export class LiveChanges {
  readonly #bits: Uint8Array;

  constructor(count: number) {
    this.#bits = new Uint8Array(Math.ceil(count / 8));
  }

  set(index: number): void {
    this.#bits[index >>> 3] = (this.#bits[index >>> 3] ?? 0) | (1 << (index & 7));
  }

  has(index: number): boolean {
    return ((this.#bits[index >>> 3] ?? 0) & (1 << (index & 7))) !== 0;
  }

  /** Whether any of the changes from `start` up to `end` is. */
  hasAny(start: number, end: number): boolean {
    for (let index = start; index < end; index += 1) if (this.has(index)) return true;
    return false;
  }
}

interface Bucket {
  block: Buffer;
  filled: number;
  isOnDisk: boolean;
}

/** Memory: 16 MiB, and while it folds about 150 bytes for each key of one bucket. Disk: the keys, and 11 bytes for each change. */
export class KeyBuckets {
  readonly #buckets: (Bucket | undefined)[] = new Array<Bucket | undefined>(BUCKETS).fill(undefined);
  #folder: string | undefined;

  add(key: string, index: number, isRetraction: boolean): void {
    const number = hashOf(key) % BUCKETS;
    const bucket = (this.#buckets[number] ??= {
      block: Buffer.allocUnsafe(1_024),
      filled: 0,
      isOnDisk: false,
    });
    // No character takes more than three bytes a code unit.
    const most = HEAD_BYTES + 3 * key.length;
    if (bucket.filled + most > bucket.block.length) this.#makeRoom(bucket, number, most);
    const { block, filled } = bucket;
    const length = block.write(key, filled + HEAD_BYTES);
    block.writeUIntLE(index, filled, 6);
    block[filled + 6] = isRetraction ? 1 : 0;
    block.writeUInt32LE(length, filled + 7);
    bucket.filled = filled + HEAD_BYTES + length;
  }

  /** Marks what is left. */
  fold(live: LiveChanges): void {
    for (const [number, bucket] of this.#buckets.entries()) {
      if (bucket === undefined) continue;
      const last = new Map<string, number>();
      if (bucket.isOnDisk) takeAll(readFileSync(this.#path(number)), last);
      takeAll(bucket.block.subarray(0, bucket.filled), last);
      for (const index of last.values()) live.set(index);
      this.#buckets[number] = undefined;
    }
  }

  close(): void {
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }

  #makeRoom(bucket: Bucket, number: number, most: number): void {
    if (bucket.block.length < BLOCK_BYTES) {
      const larger = Buffer.allocUnsafe(Math.max(2 * bucket.block.length, bucket.filled + most));
      bucket.block.copy(larger, 0, 0, bucket.filled);
      bucket.block = larger;
      return;
    }
    // For its owner only: keys lie there.
    appendFileSync(this.#path(number), bucket.block.subarray(0, bucket.filled), { mode: 0o600 });
    bucket.isOnDisk = true;
    bucket.filled = 0;
    if (most > bucket.block.length) bucket.block = Buffer.allocUnsafe(most);
  }

  #path(number: number): string {
    this.#folder ??= mkdtempSync(join(tmpdir(), 'eos-s3-fold-'));
    return join(this.#folder, `${number}.keys`);
  }
}

function takeAll(records: Buffer, last: Map<string, number>): void {
  for (let at = 0; at < records.length;) {
    const start = at + HEAD_BYTES;
    const end = start + records.readUInt32LE(at + 7);
    const key = records.toString('utf8', start, end);
    if (records[at + 6] === 1) last.delete(key);
    else last.set(key, records.readUIntLE(at, 6));
    at = end;
  }
}

/** By a name of this module: a lookup in the global object for each character costs more than the hash where that is not the plain one. */
const { imul } = Math;

/** FNV-1a: parts keys evenly, and decides nothing else. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = imul(hash ^ text.charCodeAt(index), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}
