/** Which partition of a topic a record goes to. */
import { EosError } from '@eos/core';
import { bytesAt, type BytesColumn } from '../client/records.js';

/** What a partitioner of one's own looks at. */
export interface PartitionedRecord<out Row> {
  readonly key: Uint8Array | null;
  readonly row: Row;
  readonly topic: string;
  /** How many partitions the topic has. */
  readonly partitions: number;
}

/** A partition from 0 to `partitions - 1`. Must depend on the record only, so that the records of a key stay in order. */
export type Partitioner<in Row> = (record: PartitionedRecord<Row>) => number;

/** The hash of Kafka's own Java client (murmur2, seed 0x9747b28c): equal keys land where other clients put them. */
export function murmur2(bytes: Buffer, start = 0, end = bytes.length): number {
  const length = end - start;
  let hash = 0x9747b28c ^ length;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    let word = bytes.readInt32LE(at);
    word = Math.imul(word, MULTIPLIER);
    word ^= word >>> 24;
    word = Math.imul(word, MULTIPLIER);
    hash = Math.imul(hash, MULTIPLIER) ^ word;
  }
  const rest = end - at;
  if (rest === 3) hash ^= (bytes[at + 2] ?? 0) << 16;
  if (rest >= 2) hash ^= (bytes[at + 1] ?? 0) << 8;
  if (rest >= 1) hash = Math.imul(hash ^ (bytes[at] ?? 0), MULTIPLIER);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, MULTIPLIER);
  return hash ^ (hash >>> 15);
}

const MULTIPLIER = 0x5bd1e995;

/**
 * The partition of each record by its key, as Kafka's Java client chooses it. Records without a key all go to `unkeyed`: the caller
 * changes it from batch to batch, so that a request holds many records for few partitions.
 */
export function partitionsByKey(
  keys: BytesColumn | undefined,
  count: number,
  partitions: number,
  unkeyed: number,
): Int32Array | number {
  if (keys === undefined) return unkeyed % partitions;
  const { bytes, starts, ends, nulls } = keys;
  const chosen = new Int32Array(count);
  for (let index = 0; index < count; index++) {
    const isNull = nulls !== undefined && nulls[index] === 1;
    const hash = isNull ? unkeyed : murmur2(bytes, starts[index], ends[index]);
    chosen[index] = (hash & 0x7fffffff) % partitions;
  }
  return chosen;
}

/**
 * The partition of each record by a function of the user.
 * @throws EOS_CONFIG where it returns no partition of the topic
 */
export function partitionsByFunction<Row>(
  partitioner: Partitioner<Row>,
  { keys, rows }: { readonly keys: BytesColumn | undefined; readonly rows: readonly Row[] },
  topic: string,
  partitions: number,
): Int32Array {
  return Int32Array.from(rows, (row, index) => {
    const key = keys === undefined ? null : bytesAt(keys, index);
    const chosen = partitioner({ key, row, topic, partitions });
    if (Number.isInteger(chosen) && chosen >= 0 && chosen < partitions) return chosen;
    const message = `the partitioner returned ${String(chosen)} for topic ${topic}, which has ${partitions} partitions`;
    throw new EosError('EOS_CONFIG', message, { details: { option: 'partitioner' } });
  });
}
