/** Reads record batches into columns. What is damaged or torn is never handed out. */
import type { BytesColumn, LogBatch, LogRecords } from '../records.js';
import { KafkaClientError } from '../client-error.js';
import { ATTRIBUTE, FIELD, FRAME_BYTES, HEAD_BYTES, MAGIC } from './batch-format.js';
import { decompress } from './compression.js';
import { crc32c } from './crc32c.js';

/**
 * The whole batches of `bytes`, in order; a part of one at the end, as Fetch may return, is left out.
 * @throws {KafkaClientError} CORRUPT_MESSAGE for a checksum or length that is wrong, UNSUPPORTED_COMPRESSION_TYPE
 */
export function readBatches(bytes: Buffer): LogBatch[] {
  const batches: LogBatch[] = [];
  let at = 0;
  while (bytes.length - at >= FRAME_BYTES) {
    const size = FRAME_BYTES + bytes.readInt32BE(at + FIELD.length);
    if (size < HEAD_BYTES) throw corrupt(`a record batch of ${size} bytes`);
    if (bytes.length - at < size) break;
    batches.push(readBatch(bytes.subarray(at, at + size)));
    at += size;
  }
  return batches;
}

function readBatch(batch: Buffer): LogBatch {
  const magic = batch.readInt8(FIELD.magic);
  const baseOffset = batch.readBigInt64BE(FIELD.baseOffset);
  if (magic !== MAGIC) throw corrupt(`a record batch of format ${magic} at offset ${baseOffset}`);
  if (crc32c(batch, FIELD.attributes) !== batch.readUInt32BE(FIELD.checksum))
    throw corrupt(`the record batch at offset ${baseOffset} does not match its checksum`);
  const attributes = batch.readInt16BE(FIELD.attributes);
  const isControl = (attributes & ATTRIBUTE.control) !== 0;
  const count = batch.readInt32BE(FIELD.count);
  const packed = batch.subarray(FIELD.records);
  const codec = attributes & ATTRIBUTE.compression;
  const records = readRecords(
    codec === 0 ? packed : decompress(codec, packed),
    count,
    Number(batch.readBigInt64BE(FIELD.baseTimestamp)),
  );
  return {
    baseOffset,
    lastOffset: baseOffset + BigInt(batch.readInt32BE(FIELD.lastOffsetDelta)),
    leaderEpoch: batch.readInt32BE(FIELD.leaderEpoch),
    producerId: batch.readBigInt64BE(FIELD.producerId),
    producerEpoch: batch.readInt16BE(FIELD.producerEpoch),
    isTransactional: (attributes & ATTRIBUTE.transactional) !== 0,
    control: isControl ? controlOf(records) : undefined,
    size: batch.length,
    records: isControl ? NO_RECORDS : records,
  };
}

/** The key of a control record: version and type, two bytes each; 0 aborts, 1 commits. */
function controlOf({ count, keys }: LogRecords): 'commit' | 'abort' | 'other' {
  const start = keys.starts[0] ?? 0;
  if (count === 0 || (keys.ends[0] ?? 0) < start + 4) return 'other';
  const type = keys.bytes.readInt16BE(start + 2);
  return type === 1 ? 'commit' : type === 0 ? 'abort' : 'other';
}

/** Keys, values and headers stay where they are: the columns are views into `bytes`. */
function readRecords(bytes: Buffer, count: number, baseTimestamp: number): LogRecords {
  if (count < 0 || count > bytes.length) throw corrupt(`a record batch of ${count} records`);
  const cursor = new Cursor(bytes);
  const [keys, values, headers] = [new ColumnReader(count), new ColumnReader(count), new ColumnReader(count)];
  const offsetDeltas = new Int32Array(count);
  const timestamps = new Float64Array(count);
  for (let index = 0; index < count; index++) {
    const length = cursor.varint();
    const end = cursor.at + length;
    if (length < 0 || end > bytes.length) throw corrupt('a record that is longer than its batch');
    cursor.at++;
    timestamps[index] = baseTimestamp + cursor.varint();
    offsetDeltas[index] = cursor.varint();
    keys.read(cursor, index);
    values.read(cursor, index);
    headers.set(index, cursor.at, end);
    if (cursor.at > end) throw corrupt('a record that is shorter than what it holds');
    cursor.at = end;
  }
  return {
    count,
    keys: keys.column(bytes),
    values: values.column(bytes),
    headers: headers.column(bytes),
    offsetDeltas,
    timestamps,
  };
}

class Cursor {
  at = 0;

  constructor(readonly bytes: Buffer) {}

  /** Zigzag. Beyond 32 bits only in the difference of timestamps, which a double holds exactly. */
  varint(): number {
    let byte = this.bytes[this.at++] ?? 0;
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1);
    let value = byte & 0x7f;
    for (let scale = 128; byte >= 0x80; scale *= 128) {
      byte = this.bytes[this.at++] ?? 0;
      value += (byte & 0x7f) * scale;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}

class ColumnReader {
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  #nulls: Uint8Array | undefined;

  constructor(private readonly count: number) {
    this.#starts = new Int32Array(count);
    this.#ends = new Int32Array(count);
  }

  /** A value with its length before it; -1 for null. */
  read(cursor: Cursor, index: number): void {
    const length = cursor.varint();
    if (length < 0) {
      this.#nulls ??= new Uint8Array(this.count);
      this.#nulls[index] = 1;
    }
    this.set(index, cursor.at, cursor.at + Math.max(0, length));
    cursor.at += Math.max(0, length);
  }

  set(index: number, start: number, end: number): void {
    this.#starts[index] = start;
    this.#ends[index] = end;
  }

  column(bytes: Buffer): BytesColumn {
    const column = { bytes, starts: this.#starts, ends: this.#ends };
    return this.#nulls === undefined ? column : { ...column, nulls: this.#nulls };
  }
}

const NO_RECORDS: LogRecords = readRecords(Buffer.alloc(0), 0, 0);

function corrupt(what: string): KafkaClientError {
  return new KafkaClientError(`the log holds ${what}`, { kind: 'refused', error: 'CORRUPT_MESSAGE' });
}
