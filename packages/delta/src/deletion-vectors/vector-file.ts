/**
 * Files of deletion vectors: a version, then for each vector its size, its bytes and their CRC-32, numbers with the highest byte first.
 * https://github.com/delta-io/delta/blob/master/PROTOCOL.md#deletion-vector-file-storage-format
 */
import { randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { ObjectStore } from '@eos/object-store';
import type { DeletionVector } from '../log/actions.js';
import { ObjectWriter } from '../files/object-writer.js';
import type { TablePlace } from '../log/paths.js';
import { bitmapBytes, parseBitmap } from './bitmap.js';
import { damaged } from './damaged.js';
import { vectorName, vectorPath, vectorPlace } from './descriptor.js';
import type { RowSet } from './row-set.js';

const VERSION = 1;
/** Size in front, checksum behind. */
const FRAME_BYTES = 8;

/** The deletion vectors of one commit, in one file. Memory: their bytes. */
export class VectorFile {
  readonly #chunks: Uint8Array[] = [Uint8Array.of(VERSION)];
  readonly #uuid = randomUUID();
  readonly #name = vectorName(this.#uuid);
  #bytes = 1;

  constructor(
    private readonly store: ObjectStore,
    private readonly place: TablePlace,
  ) {}

  get key(): string {
    return `${this.place.prefix}${vectorPath(this.#name)}`;
  }

  get isEmpty(): boolean {
    return this.#chunks.length === 1;
  }

  /** Takes one, which is in the store once {@link VectorFile.finish} has returned. */
  add(rows: RowSet): DeletionVector {
    const bitmap = bitmapBytes(rows);
    const vector: DeletionVector = {
      storageType: 'u',
      pathOrInlineDv: this.#name,
      offset: this.#bytes,
      sizeInBytes: bitmap.length,
      cardinality: rows.size,
    };
    const [size, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
    size.writeInt32BE(bitmap.length);
    checksum.writeUInt32BE(crc32(bitmap));
    this.#chunks.push(size, bitmap, checksum);
    this.#bytes += bitmap.length + FRAME_BYTES;
    return vector;
  }

  /** Puts the file, durably; nothing where it has no vector. */
  async finish(): Promise<void> {
    if (this.isEmpty) return;
    const object = new ObjectWriter(this.store, this.key, { condition: { ifAbsent: true } });
    await object.write(Buffer.concat(this.#chunks));
    await object.finish();
  }
}

/**
 * The rows that a deletion vector deletes.
 * @throws EOS_FORMAT where its file is missing or damaged, EOS_SCHEMA where it lies outside of the table
 */
export async function readVector(
  store: ObjectStore,
  place: TablePlace,
  vector: DeletionVector,
): Promise<RowSet> {
  const where = vectorPlace(place, vector);
  const bytes =
    where.kind === 'inline'
      ? where.bytes
      : await readFramed(store, where.key, where.offset, vector.sizeInBytes);
  const rows = parseBitmap(bytes);
  if (rows.size !== vector.cardinality)
    throw damaged(`it deletes ${rows.size} rows, and is said to delete ${vector.cardinality}`);
  return rows;
}

async function readFramed(
  store: ObjectStore,
  key: string,
  offset: number,
  size: number,
): Promise<Uint8Array> {
  const range = { start: offset, end: offset + size + FRAME_BYTES };
  const [head, framed] = await Promise.all([
    offset > 1 ? store.read(key, { start: 0, end: 1 }) : undefined,
    store.read(key, offset > 1 ? range : { ...range, start: 0 }),
  ]);
  if (framed === undefined) throw damaged(`its file ${key} is not there`);
  const version = head?.[0] ?? framed[0];
  if (version !== VERSION) throw damaged(`${key} is of the version ${version}`);
  const frame = offset > 1 ? framed : framed.subarray(offset);
  if (frame.length < size + FRAME_BYTES) throw damaged(`its file ${key} is cut off`);
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (view.getInt32(0) !== size)
    throw damaged(`${key} has ${view.getInt32(0)} bytes for it at ${offset}, and it is said to have ${size}`);
  const bytes = frame.subarray(4, 4 + size);
  if (view.getUint32(4 + size) !== crc32(bytes)) throw damaged(`${key} at ${offset} has another checksum`);
  return bytes;
}
