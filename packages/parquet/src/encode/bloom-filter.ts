/** Split block Bloom filters: https://github.com/apache/parquet-format/blob/master/BloomFilter.md */
import { EosError } from '@eos/core';
import { ByteWriter } from 'hyparquet-writer';
import { writeBloomFilter } from 'hyparquet-writer/src/bloom.js';
import type { LeafData } from '../columns/leaf-column.js';
import type { ColumnValues } from '../columns/value-adders.js';
import { Xxhash64 } from './xxhash64.js';

export interface BloomFilterOptions {
  /** How often a reader may look for a key in vain. Default 0.01. */
  readonly falsePositives?: number;
  /** The most bytes per row group; fewer make more readings in vain. Default 1 MiB, which fits 800,000 keys at 0.01. */
  readonly maxBytes?: number;
}

const BLOCK_BYTES = 32;
const SALT = [
  0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31,
] as const;

/** @throws EOS_CONFIG naming the option */
export function checkBloomOptions({ falsePositives = 0.01, maxBytes = 1024 * 1024 }: BloomFilterOptions): {
  falsePositives: number;
  maxBytes: number;
} {
  if (!(falsePositives > 0 && falsePositives < 1)) {
    throw new EosError('EOS_CONFIG', `falsePositives must be between 0 and 1, not ${falsePositives}`);
  }
  if (!(maxBytes >= BLOCK_BYTES))
    throw new EosError('EOS_CONFIG', `maxBytes must be at least ${BLOCK_BYTES}`);
  return { falsePositives, maxBytes };
}

/** The filter of a column as it stands in the file; undefined where the column has no value. */
export function bloomFilter(
  { values }: LeafData,
  { falsePositives, maxBytes }: { falsePositives: number; maxBytes: number },
): Uint8Array | undefined {
  const distinct = values.physical === 'BYTE_ARRAY' ? values.entries : values.count;
  if (distinct === 0) return undefined;
  const blocks = new Uint32Array(filterBytes(distinct, falsePositives, maxBytes) / 4);
  const hash = new Xxhash64();
  eachPlainValue(values, (bytes, start, end) => {
    hash.hash(bytes, start, end);
    insert(blocks, hash.high, hash.low);
  });
  const writer = new ByteWriter();
  writeBloomFilter(writer, blocks);
  return writer.getBytes();
}

/** A power of two, which some readers insist on. */
function filterBytes(distinct: number, falsePositives: number, maxBytes: number): number {
  const wanted = -distinct / Math.log(1 - falsePositives ** (1 / 8));
  let bytes = BLOCK_BYTES;
  while (bytes < wanted && 2 * bytes <= maxBytes) bytes *= 2;
  return bytes;
}

function insert(blocks: Uint32Array, high: number, low: number): void {
  // The block is the upper half of (upper half of the hash × number of blocks). Exact: a filter has fewer than 2^21 blocks.
  const block = 8 * Math.floor((high * (blocks.length / 8)) / 4_294_967_296);
  for (let at = 0; at < 8; at++) {
    blocks[block + at] = (blocks[block + at] ?? 0) | (1 << (Math.imul(low, SALT[at] ?? 0) >>> 27));
  }
}

/** Whether a value of this hash may be there. */
export function mayContain(blocks: Uint32Array, high: number, low: number): boolean {
  const block = 8 * Math.floor((high * (blocks.length / 8)) / 4_294_967_296);
  for (let at = 0; at < 8; at++) {
    if (((blocks[block + at] ?? 0) & (1 << (Math.imul(low, SALT[at] ?? 0) >>> 27))) === 0) return false;
  }
  return true;
}

/** The plain encoding of each value; of strings without their length. */
export function eachPlainValue(
  values: ColumnValues,
  visit: (bytes: Uint8Array, start: number, end: number) => void,
): void {
  switch (values.physical) {
    case 'BYTE_ARRAY':
      for (let at = 0; at < values.entries; at++) {
        const entry = values.entry(at);
        visit(entry, 0, entry.length);
      }
      return;
    case 'BOOLEAN':
    case 'FIXED_LEN_BYTE_ARRAY':
    case 'INT32':
    case 'INT64':
    case 'FLOAT':
    case 'DOUBLE': {
      if (values.count === 0) return;
      const size = values.byteSize / values.count;
      const bytes = new Uint8Array(values.data.buffer, 0, values.byteSize);
      for (let at = 0; at < bytes.length; at += size) visit(bytes, at, at + size);
    }
  }
}
