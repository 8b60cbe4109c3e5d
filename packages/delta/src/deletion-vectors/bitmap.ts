/**
 * The bytes of a deletion vector: Roaring bitmaps of 32 bits, by the high half of the positions.
 * https://github.com/delta-io/delta/blob/master/PROTOCOL.md#deletion-vector-format
 */
import { ByteReader } from './byte-reader.js';
import { damaged } from './damaged.js';
import { readRoaring, roaringBytes, writeRoaring, type Containers } from './roaring.js';
import { RowSet } from './row-set.js';

const PORTABLE_MAGIC = 1_681_511_377;
/** An older layout that readers still take: a size before each bitmap, and its place in the list for its high half. */
const NATIVE_MAGIC = 1_681_511_376;

/** Containers of one bitmap. */
const CONTAINERS = 65_536;
/** The highest half has its first bit clear: positions are signed 64-bit numbers. */
const MAX_HIGH = 0x7fffffff;

/** Always in the portable layout. */
export function bitmapBytes(rows: RowSet): Uint8Array {
  const bitmaps = byHighHalf(rows);
  const size = bitmaps.reduce((sum, { containers }) => sum + 4 + roaringBytes(containers), 12);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, PORTABLE_MAGIC, true);
  view.setBigUint64(4, BigInt(bitmaps.length), true);
  let at = 12;
  for (const { high, containers } of bitmaps) {
    view.setUint32(at, high, true);
    writeRoaring(view, at + 4, containers);
    at += 4 + roaringBytes(containers);
  }
  return bytes;
}

function byHighHalf(rows: RowSet): readonly { readonly high: number; readonly containers: Containers }[] {
  const bitmaps: { high: number; containers: [number, Containers[number][1]][] }[] = [];
  for (const [key, container] of rows.containers()) {
    const high = Math.floor(key / CONTAINERS);
    let bitmap = bitmaps.at(-1);
    if (bitmap?.high !== high) {
      bitmap = { high, containers: [] };
      bitmaps.push(bitmap);
    }
    bitmap.containers.push([key % CONTAINERS, container]);
  }
  return bitmaps;
}

/** @throws EOS_FORMAT for what is none, or is cut off, or has anything behind it */
export function parseBitmap(bytes: Uint8Array): RowSet {
  const reader = new ByteReader(bytes);
  const magic = reader.uint32();
  const rows = new RowSet();
  if (magic === PORTABLE_MAGIC) readPortable(reader, rows);
  else if (magic === NATIVE_MAGIC) readNative(reader, rows);
  else throw damaged(`it begins with ${magic}`);
  if (reader.remaining > 0) throw damaged(`it has ${reader.remaining} bytes too many`);
  return rows;
}

function readPortable(reader: ByteReader, rows: RowSet): void {
  let last = -1;
  for (let count = reader.uint64(); count > 0; count--) {
    const high = reader.uint32();
    if (high <= last || high > MAX_HIGH) throw damaged('its bitmaps are out of order');
    put(rows, high, readRoaring(reader));
    last = high;
  }
}

function readNative(reader: ByteReader, rows: RowSet): void {
  const count = reader.uint32();
  for (let high = 0; high < count; high++) {
    const end = reader.uint32() + reader.offset;
    put(rows, high, readRoaring(reader));
    if (reader.offset !== end)
      throw damaged(`a bitmap ends at ${reader.offset}, and is said to end at ${end}`);
  }
}

function put(rows: RowSet, high: number, containers: Containers): void {
  for (const [key, container] of containers) {
    const whole = high * CONTAINERS + key;
    if (!Number.isSafeInteger(whole * 65_536)) throw damaged('it has positions beyond 2^53');
    rows.put(whole, container);
  }
}
