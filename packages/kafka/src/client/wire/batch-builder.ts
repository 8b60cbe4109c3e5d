/** Writes record batches: the records of one partition, appended from columns. */
import type { BytesColumn, RecordColumns } from '../records.js';
import { ATTRIBUTE, FIELD, HEAD_BYTES, MAGIC } from './batch-format.js';
import { crc32c } from './crc32c.js';

/** The producer in whose transaction a batch belongs. */
export interface BatchProducer {
  readonly producerId: bigint;
  readonly epoch: number;
  readonly baseSequence: number;
}

/** Lengths, attributes, deltas and the count of headers take this much beside key, value and headers. */
const MOST_OVERHEAD = 40;
/** Up to here, a loop is faster than a call. */
const SHORT_COPY = 40;

/** Grows to the largest batch that was ever written with it; `reset` keeps the memory. */
export class BatchBuilder {
  #buffer: Buffer;
  #length = HEAD_BYTES;
  #count = 0;
  #timestamp = 0;
  #maxDelta = 0;

  constructor(bytes = 4_096) {
    this.#buffer = Buffer.allocUnsafe(bytes);
  }

  get count(): number {
    return this.#count;
  }

  /** Bytes of the batch, its head included. */
  get size(): number {
    return this.#length;
  }

  /** The most that record `index` can add. */
  static sizeOf(records: RecordColumns, index: number): number {
    const { keys, values, headers } = records;
    return sizeAt(keys, index) + sizeAt(values, index) + sizeAt(headers, index) + MOST_OVERHEAD;
  }

  /** Appends record `index`. `timestamp` in milliseconds, not before that of the first record. */
  append(records: RecordColumns, index: number, timestamp: number): void {
    const { keys, values, headers } = records;
    this.#reserve(BatchBuilder.sizeOf(records, index));
    if (this.#count === 0) this.#timestamp = timestamp;
    const delta = timestamp - this.#timestamp;
    if (delta > this.#maxDelta) this.#maxDelta = delta;
    const keySize = isNull(keys, index) ? -1 : sizeAt(keys, index);
    const valueSize = isNull(values, index) ? -1 : sizeAt(values, index);
    const headerSize = headers === undefined ? 1 : sizeAt(headers, index);
    const body =
      1 +
      varintSize(delta) +
      varintSize(this.#count) +
      varintSize(keySize) +
      Math.max(0, keySize) +
      varintSize(valueSize) +
      Math.max(0, valueSize) +
      headerSize;
    this.#varint(body);
    this.#buffer[this.#length++] = 0;
    this.#varint(delta);
    this.#varint(this.#count++);
    this.#bytes(keys, index, keySize);
    this.#bytes(values, index, valueSize);
    if (headers === undefined) this.#buffer[this.#length++] = 0;
    else this.#copy(headers, index, headerSize);
  }

  /** The finished batch: a view of the builder's memory, to be sent before `reset`. */
  finish({ producerId, epoch, baseSequence }: BatchProducer): Buffer {
    const batch = this.#buffer.subarray(0, this.#length);
    batch.writeBigInt64BE(0n, FIELD.baseOffset);
    batch.writeInt32BE(this.#length - FIELD.leaderEpoch, FIELD.length);
    batch.writeInt32BE(-1, FIELD.leaderEpoch);
    batch.writeInt8(MAGIC, FIELD.magic);
    batch.writeInt16BE(ATTRIBUTE.transactional, FIELD.attributes);
    batch.writeInt32BE(this.#count - 1, FIELD.lastOffsetDelta);
    batch.writeBigInt64BE(BigInt(this.#timestamp), FIELD.baseTimestamp);
    batch.writeBigInt64BE(BigInt(this.#timestamp + this.#maxDelta), FIELD.maxTimestamp);
    batch.writeBigInt64BE(producerId, FIELD.producerId);
    batch.writeInt16BE(epoch, FIELD.producerEpoch);
    batch.writeInt32BE(baseSequence, FIELD.baseSequence);
    batch.writeInt32BE(this.#count, FIELD.count);
    batch.writeUInt32BE(crc32c(batch, FIELD.attributes), FIELD.checksum);
    return batch;
  }

  reset(): void {
    this.#length = HEAD_BYTES;
    this.#count = 0;
    this.#maxDelta = 0;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }

  #bytes(column: BytesColumn | undefined, index: number, size: number): void {
    this.#varint(size);
    if (size > 0 && column !== undefined) this.#copy(column, index, size);
  }

  #copy({ bytes, starts }: BytesColumn, index: number, size: number): void {
    const start = starts[index] as number;
    const target = this.#buffer;
    if (size > SHORT_COPY) {
      bytes.copy(target, this.#length, start, start + size);
      this.#length += size;
      return;
    }
    let at = this.#length;
    for (let from = start, end = start + size; from < end; from++) target[at++] = bytes[from] as number;
    this.#length = at;
  }

  /** Zigzag; values are below 2^31, but for the difference of timestamps, which a double holds exactly. */
  #varint(value: number): void {
    let rest = value < 0 ? -2 * value - 1 : 2 * value;
    while (rest > 0x7f) {
      this.#buffer[this.#length++] = (rest & 0x7f) | 0x80;
      rest = rest > 0x7fffffff ? Math.floor(rest / 128) : rest >>> 7;
    }
    this.#buffer[this.#length++] = rest;
  }
}

function isNull(column: BytesColumn | undefined, index: number): boolean {
  return column === undefined || (column.nulls !== undefined && column.nulls[index] === 1);
}

function sizeAt(column: BytesColumn | undefined, index: number): number {
  if (column === undefined) return 0;
  return (column.ends[index] as number) - (column.starts[index] as number);
}

function varintSize(value: number): number {
  let rest = value < 0 ? -2 * value - 1 : 2 * value;
  let bytes = 1;
  for (; rest > 0x7f; bytes++) rest = rest > 0x7fffffff ? Math.floor(rest / 128) : rest >>> 7;
  return bytes;
}
