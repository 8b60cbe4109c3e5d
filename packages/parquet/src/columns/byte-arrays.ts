/**
 * Strings and byte strings, encoded as they arrive: each is its length in four bytes and its bytes in UTF-8, which is Parquet's plain
 * encoding. As long as values repeat, a dictionary keeps each text once and the column is indices; it gives up by itself.
 */
import { EosError } from '@eos/core';
import { refuse } from '../values/refuse.js';
import { grown } from './numbers.js';

/** A dictionary is reviewed at this many values first, then at each doubling. */
const FIRST_REVIEW = 1024;

/** A dictionary above this is given up: readers hold it in memory. */
const MAX_DICTIONARY_BYTES = 2 * 1024 * 1024;

/** Offsets are kept as 32-bit integers. */
const MAX_BYTES = 2 ** 31 - 1;

/** Below this length, a loop in JavaScript is faster than a call into Node. */
const SHORT = 64;

const HALF_PAIR = /\p{Surrogate}/u;

export class ByteArrayValues {
  readonly physical = 'BYTE_ARRAY';
  /** Entries in plain encoding: those of the dictionary, or without one the values themselves. */
  bytes = Buffer.allocUnsafe(16_384);
  /** How much of it is used. */
  byteLength = 0;
  /** Where each entry ends. */
  ends = new Int32Array(1024);
  entries = 0;
  /** With a dictionary: the entry of each value. */
  indices = new Int32Array(0);
  private indexCount = 0;
  private dictionary: Map<string, number> | undefined;
  private nextReview = FIRST_REVIEW;
  /** With a dictionary: bytes that the values would take without. */
  private plainBytes = 0;

  /** `repeats`: whether a dictionary is worth trying. */
  constructor(private readonly repeats: boolean) {
    this.truncate(0);
  }

  get hasDictionary(): boolean {
    return this.dictionary !== undefined;
  }

  get count(): number {
    return this.dictionary === undefined ? this.entries : this.indexCount;
  }

  get byteSize(): number {
    return this.byteLength + 4 * (this.entries + this.indexCount);
  }

  pushText(text: string): void {
    if (this.dictionary === undefined) {
      this.appendText(text);
      return;
    }
    let entry = this.dictionary.get(text);
    if (entry === undefined) {
      entry = this.appendText(text);
      this.dictionary.set(text, entry);
    }
    if (this.indexCount === this.indices.length) this.indices = grown(this.indices, Int32Array, 1024);
    this.indices[this.indexCount++] = entry;
    this.plainBytes += this.sizeOf(entry);
    if (this.indexCount === this.nextReview) this.review();
  }

  pushBytes(value: Uint8Array): void {
    this.giveUpDictionary();
    const start = this.reserve(4 + value.byteLength);
    this.bytes.writeUInt32LE(value.byteLength, start);
    this.bytes.set(value, start + 4);
    this.endEntry(start + 4 + value.byteLength);
  }

  /** Keeps the dictionary only where it at least halves the column. */
  review(): void {
    if (this.dictionary === undefined) return;
    this.nextReview = 2 * this.indexCount;
    const indexBytes = (this.indexCount * bitWidth(this.entries - 1)) / 8;
    const pays = 2 * (this.byteLength + indexBytes) <= this.plainBytes;
    if (!pays || this.byteLength > MAX_DICTIONARY_BYTES) this.giveUpDictionary();
  }

  /** Forgets all values after the first `count`; 0 starts anew, with the memory that there is. */
  truncate(count: number): void {
    if (count === 0) {
      this.byteLength = this.entries = this.indexCount = this.plainBytes = 0;
      this.nextReview = FIRST_REVIEW;
      this.dictionary = this.repeats ? new Map() : undefined;
      return;
    }
    if (this.dictionary !== undefined) this.truncateIndices(this.dictionary, count);
    else this.truncateEntries(count);
  }

  private truncateIndices(dictionary: Map<string, number>, count: number): void {
    // Entries have the order of their first use.
    let entries = 0;
    this.plainBytes = 0;
    for (let at = 0; at < count; at++) {
      const entry = this.indices[at] ?? 0;
      entries = Math.max(entries, entry + 1);
      this.plainBytes += this.sizeOf(entry);
    }
    for (const [text, entry] of dictionary) if (entry >= entries) dictionary.delete(text);
    this.indexCount = count;
    this.truncateEntries(entries);
  }

  private truncateEntries(entries: number): void {
    this.entries = entries;
    this.byteLength = this.ends[entries - 1] ?? 0;
  }

  /** The bytes of an entry, without its length. */
  entry(at: number): Uint8Array {
    const start = at === 0 ? 0 : (this.ends[at - 1] ?? 0);
    return this.bytes.subarray(start + 4, this.ends[at] ?? 0);
  }

  private sizeOf(entry: number): number {
    return (this.ends[entry] ?? 0) - (entry === 0 ? 0 : (this.ends[entry - 1] ?? 0));
  }

  private giveUpDictionary(): void {
    if (this.dictionary === undefined) return;
    this.dictionary = undefined;
    if (this.indexCount === 0) return;
    const { bytes, ends, indexCount } = this;
    const plain = Buffer.allocUnsafe(Math.max(this.bytes.length, this.plainBytes));
    const plainEnds = new Int32Array(Math.max(ends.length, indexCount));
    let length = 0;
    for (let at = 0; at < indexCount; at++) {
      const entry = this.indices[at] ?? 0;
      const start = entry === 0 ? 0 : (ends[entry - 1] ?? 0);
      length += bytes.copy(plain, length, start, ends[entry]);
      plainEnds[at] = length;
    }
    this.bytes = plain;
    this.ends = plainEnds;
    this.byteLength = length;
    this.entries = indexCount;
    this.indexCount = 0;
  }

  /** Returns the number of the new entry. */
  private appendText(text: string): number {
    const start = this.reserve(4 + 3 * text.length);
    const { bytes } = this;
    let end = start + 4;
    if (text.length <= SHORT) end = writeAscii(bytes, end, text);
    if (end === start + 4 && text.length > 0) {
      const written = bytes.write(text, end);
      if (written !== text.length && HALF_PAIR.test(text)) {
        refuse('a string with half of a surrogate pair, which UTF-8 cannot hold');
      }
      end += written;
    }
    const length = end - start - 4;
    bytes[start] = length;
    bytes[start + 1] = length >>> 8;
    bytes[start + 2] = length >>> 16;
    bytes[start + 3] = length >>> 24;
    return this.endEntry(end);
  }

  private endEntry(end: number): number {
    if (this.entries === this.ends.length) this.ends = grown(this.ends, Int32Array);
    this.ends[this.entries] = end;
    this.byteLength = end;
    return this.entries++;
  }

  private reserve(size: number): number {
    const start = this.byteLength;
    const needed = start + size;
    if (needed > this.bytes.length) {
      if (needed > MAX_BYTES)
        throw new EosError('EOS_ROW', 'more than 2 GiB of text in one column of a row group');
      const larger = Buffer.allocUnsafe(Math.min(MAX_BYTES, Math.max(2 * this.bytes.length, needed)));
      this.bytes.copy(larger, 0, 0, start);
      this.bytes = larger;
    }
    return start;
  }
}

/** Writes a text that is all ASCII and returns its end; `at` where it is not. */
function writeAscii(bytes: Uint8Array, at: number, text: string): number {
  const { length } = text;
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) return at;
    bytes[at + index] = code;
  }
  return at + length;
}

/** How many bits the numbers from 0 to `most` take. */
export function bitWidth(most: number): number {
  return most <= 0 ? 0 : 32 - Math.clz32(most);
}
