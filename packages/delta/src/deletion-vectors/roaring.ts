/**
 * Roaring bitmaps of 32 bits, byte for byte. Written without run containers, as Delta's own writers do; read with them.
 * https://github.com/RoaringBitmap/RoaringFormatSpec
 */
import type { ByteReader } from './byte-reader.js';
import { Container, MAX_ARRAY } from './container.js';
import { damaged } from './damaged.js';

const COOKIE = 12_346;
const COOKIE_WITH_RUNS = 12_347;
/** With runs, offsets are left out below this. */
const MIN_CONTAINERS_FOR_OFFSETS = 4;
const MAX_CONTAINERS = 65_536;

/** By their high 16 bits, ascending. */
export type Containers = readonly (readonly [number, Container])[];

export function roaringBytes(containers: Containers): number {
  return containers.reduce((sum, [, container]) => sum + 8 + container.byteSize, 8);
}

export function writeRoaring(view: DataView, start: number, containers: Containers): void {
  view.setUint32(start, COOKIE, true);
  view.setUint32(start + 4, containers.length, true);
  const offsets = start + 8 + 4 * containers.length;
  let body = offsets + 4 * containers.length;
  containers.forEach(([key, container], index) => {
    view.setUint16(start + 8 + 4 * index, key, true);
    view.setUint16(start + 10 + 4 * index, container.size - 1, true);
    // Offsets count from the start of this bitmap.
    view.setUint32(offsets + 4 * index, body - start, true);
    container.write(view, body);
    body += container.byteSize;
  });
}

/** @throws EOS_FORMAT for what is no such bitmap */
export function readRoaring(reader: ByteReader): Containers {
  const start = reader.offset;
  const { count, runs } = readCookie(reader);
  const heads = Array.from({ length: count }, () => ({ key: reader.uint16(), size: reader.uint16() + 1 }));
  const hasOffsets = runs === undefined || count >= MIN_CONTAINERS_FOR_OFFSETS;
  const offsets = hasOffsets ? Array.from({ length: count }, () => reader.uint32()) : undefined;
  let lastKey = -1;
  return heads.map(({ key, size }, index) => {
    if (key <= lastKey) throw damaged('its containers are out of order');
    lastKey = key;
    const expected = offsets?.[index];
    if (expected !== undefined && expected !== reader.offset - start)
      throw damaged(`container ${index} is said to be at ${expected}, not at ${reader.offset - start}`);
    const isRun = runs !== undefined && (((runs[index >> 3] ?? 0) >> (index & 7)) & 1) === 1;
    const container = isRun
      ? readRuns(reader)
      : size <= MAX_ARRAY
        ? readArray(reader, size)
        : Container.ofBits(reader.take(8192));
    if (container.size !== size)
      throw damaged(`a container has ${container.size} values, and is said to have ${size}`);
    return [key, container] as const;
  });
}

/** How many containers there are, and which of them are runs: a bit for each. */
function readCookie(reader: ByteReader): { readonly count: number; readonly runs: Uint8Array | undefined } {
  const cookie = reader.uint32();
  if ((cookie & 0xffff) === COOKIE_WITH_RUNS) {
    const count = (cookie >>> 16) + 1;
    return { count, runs: reader.take((count + 7) >> 3) };
  }
  if (cookie !== COOKIE) throw damaged(`a bitmap begins with ${cookie}`);
  const count = reader.uint32();
  if (count > MAX_CONTAINERS) throw damaged(`a bitmap has ${count} containers`);
  return { count, runs: undefined };
}

function readArray(reader: ByteReader, size: number): Container {
  const container = new Container();
  let last = -1;
  for (let index = 0; index < size; index++) {
    const value = reader.uint16();
    if (value <= last) throw damaged('the values of a container are out of order');
    container.add(value);
    last = value;
  }
  return container;
}

function readRuns(reader: ByteReader): Container {
  const container = new Container();
  const count = reader.uint16();
  let next = 0;
  for (let index = 0; index < count; index++) {
    const first = reader.uint16();
    const last = first + reader.uint16();
    if (first < next || last > 0xffff) throw damaged('the runs of a container are out of order');
    container.addRange(first, last);
    next = last + 1;
  }
  return container;
}
