/**
 * A positions topic with any number of transactions behind it. To run a million of them would take an hour: the last one is copied in
 * the files of a broker that is stopped, record and control record, as often as is wanted. Only offsets differ, which no checksum covers.
 */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const SEGMENT_BYTES = 1024 * 1024;
const OFFSET_AT = 0;
const LENGTH_AT = 8;
const FRAME_BYTES = 12;
const LAST_OFFSET_DELTA_AT = 23;

/**
 * @param folder of the one partition, whose last two batches are the record of a position and its control record
 * @returns bytes of the log
 */
export async function repeatLastTransaction(folder: string, times: number): Promise<number> {
  const first = join(folder, segmentName(0n));
  const log = await readFile(first);
  const batches = batchesOf(log);
  const model = batches.slice(-2);
  let next = endOf(batches.at(-1));
  let segment: Buffer[] = [log];
  let [start, size, total] = [0n, log.length, 0];
  const write = async () => {
    await writeFile(join(folder, segmentName(start)), Buffer.concat(segment));
    total += size;
    [segment, start, size] = [[], next, 0];
  };
  for (let count = 0; count < times; count++) {
    if (size >= SEGMENT_BYTES) await write();
    for (const batch of model) {
      const copy = Buffer.from(batch);
      copy.writeBigInt64BE(next, OFFSET_AT);
      segment.push(copy);
      size += copy.length;
      next = endOf(copy);
    }
  }
  await write();
  // The broker makes these anew of the log.
  for (const name of await readdir(folder))
    if (/\.(index|timeindex|txnindex|snapshot)$/.test(name)) await rm(join(folder, name));
  return total;
}

export async function logBytes(folder: string): Promise<number> {
  const names = await readdir(folder);
  const sizes = names
    .filter((name) => name.endsWith('.log'))
    .map(async (name) => (await readFile(join(folder, name)).catch(() => Buffer.alloc(0))).length);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

function batchesOf(log: Buffer): Buffer[] {
  const batches: Buffer[] = [];
  for (let at = 0; at + FRAME_BYTES <= log.length;) {
    const end = at + FRAME_BYTES + log.readInt32BE(at + LENGTH_AT);
    batches.push(log.subarray(at, end));
    at = end;
  }
  return batches;
}

function endOf(batch: Buffer | undefined): bigint {
  if (batch === undefined) throw new Error('the positions topic is empty');
  return batch.readBigInt64BE(OFFSET_AT) + BigInt(batch.readInt32BE(LAST_OFFSET_DELTA_AT)) + 1n;
}

function segmentName(offset: bigint): string {
  return `${String(offset).padStart(20, '0')}.log`;
}
