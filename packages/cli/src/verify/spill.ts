/**
 * Records parted into files by a hash, each file's in the order of their coming. Nothing is written to disk before a file's share of the
 * memory is used up. Writing and reading are synchronous: a record costs no promise, and a block of 64 KiB costs the disk's cache only.
 */
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Memory of one file: what is kept before it is written. */
const BLOCK_BYTES = 65_536;

/** Read at a time. */
const READ_BYTES = 1_048_576;

/** Bytes in front of a record: its length. */
const HEAD_BYTES = 4;

export class Spill {
  readonly #files: (SpillFile | undefined)[];

  /** @param folder exists, and is the caller's to remove */
  constructor(
    private readonly folder: string,
    private readonly name: string,
    readonly count: number,
  ) {
    this.#files = new Array<SpillFile | undefined>(count).fill(undefined);
  }

  /** The file of that number: to add records to. */
  file(index: number): SpillFile {
    return (this.#files[index] ??= new SpillFile(join(this.folder, `${this.name}-${index}`)));
  }

  /** The file of that number, if anything was added to it. */
  existing(index: number): SpillFile | undefined {
    return this.#files[index];
  }

  /** Frees memory and disk of that file. */
  drop(index: number): void {
    this.#files[index]?.drop();
    this.#files[index] = undefined;
  }

  /** Frees all. */
  close(): void {
    for (let index = 0; index < this.count; index++) this.drop(index);
  }
}

export class SpillFile {
  /** Where a record that was reserved is to be put. */
  block = Buffer.allocUnsafe(BLOCK_BYTES);
  #filled = 0;
  #written = 0;
  #descriptor: number | undefined;

  constructor(private readonly path: string) {}

  /** Bytes of all records, with their heads. */
  get bytes(): number {
    return this.#written + this.#filled;
  }

  /** Makes room for a record of `length` bytes, and returns where in {@link block} it begins. */
  reserve(length: number): number {
    const size = HEAD_BYTES + length;
    if (this.#filled + size > this.block.length) this.#flush(size);
    const at = this.#filled;
    this.block.writeUInt32LE(length, at);
    this.#filled += size;
    return at + HEAD_BYTES;
  }

  /** Visits every record, as `bytes[start … end)`, in the order of their coming. */
  read(visit: (bytes: Buffer, start: number, end: number) => void): void {
    if (this.#descriptor !== undefined) readRecords(this.#descriptor, this.#written, visit);
    visitRecords(this.block, this.#filled, visit);
  }

  drop(): void {
    this.block = Buffer.alloc(0);
    this.#filled = this.#written = 0;
    if (this.#descriptor === undefined) return;
    closeSync(this.#descriptor);
    rmSync(this.path, { force: true });
    this.#descriptor = undefined;
  }

  #flush(needed: number): void {
    if (this.#filled > 0) {
      this.#descriptor ??= openSync(this.path, 'wx+', 0o600);
      writeAll(this.#descriptor, this.block.subarray(0, this.#filled), this.#written);
      this.#written += this.#filled;
      this.#filled = 0;
    }
    if (needed > this.block.length) this.block = Buffer.allocUnsafe(needed);
  }
}

function writeAll(descriptor: number, bytes: Buffer, position: number): void {
  let done = 0;
  while (done < bytes.length)
    done += writeSync(descriptor, bytes, done, bytes.length - done, position + done);
}

type Visit = (bytes: Buffer, start: number, end: number) => void;

function readRecords(descriptor: number, length: number, visit: Visit): void {
  let buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, length));
  let filled = 0;
  let position = 0;
  while (position < length) {
    const read = readSync(descriptor, buffer, filled, buffer.length - filled, position);
    if (read === 0) throw new Error('a temporary file was cut');
    position += read;
    filled += read;
    const used = visitRecords(buffer, filled, visit);
    buffer.copyWithin(0, used, filled);
    filled -= used;
    if (filled < buffer.length) continue;
    const larger = Buffer.allocUnsafe(2 * buffer.length);
    buffer.copy(larger);
    buffer = larger;
  }
}

/** Visits the whole records of `buffer[0 … filled)`, and returns where the first one begins that is not whole. */
function visitRecords(buffer: Buffer, filled: number, visit: Visit): number {
  let at = 0;
  while (at + HEAD_BYTES <= filled) {
    const start = at + HEAD_BYTES;
    const end = start + buffer.readUInt32LE(at);
    if (end > filled) break;
    visit(buffer, start, end);
    at = end;
  }
  return at;
}
