/** What one fetch gave of one partition: whole record batches, unread. */
import type { LogBatch } from '../client/records.js';
import { ATTRIBUTE, FIELD, FRAME_BYTES } from '../client/wire/batch-format.js';
import { readBatches } from '../client/wire/batch-reader.js';

/** A transaction that was aborted: what its producer wrote from there on, up to its control record, does not count. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: bigint;
}

/**
 * Hands out the batches that count, one after the other, and reads each only then.
 *
 * Which transactions were aborted is decided as Kafka's own consumer does: the broker lists those that reach into the answer, in the
 * order in which they *ended*, so that the list is put in the order of their first offsets; and the end of one is a batch that is marked as a
 * control batch, whatever the keys of records look like. KafkaJS does neither, and hands out aborted records (two tests show it).
 */
export class Chunk {
  /** Behind the last whole batch; `from` where there is none. */
  readonly end: bigint;
  /** Leader epoch of the last whole batch; -1: there is none. */
  readonly lastEpoch: number;
  readonly #aborted: readonly AbortedTransaction[];
  readonly #dropped = new Set<bigint>();
  #nextAborted = 0;
  #at = 0;
  readonly #size: number;

  /** @param from offset that was asked for: records before it, which a batch may hold, do not count */
  constructor(
    readonly from: bigint,
    private readonly bytes: Buffer,
    aborted: readonly AbortedTransaction[],
  ) {
    this.#aborted = [...aborted].sort((left, right) => (left.firstOffset < right.firstOffset ? -1 : 1));
    this.#size = wholeBytes(bytes);
    const last = lastBatch(bytes, this.#size);
    this.end = last === undefined ? from : offsetBehind(bytes, last);
    this.lastEpoch = last === undefined ? -1 : bytes.readInt32BE(last + FIELD.leaderEpoch);
  }

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  /** Whether batches are left. */
  get hasMore(): boolean {
    return this.#at < this.#size;
  }

  /** Whether the next batch is a control batch, which holds no records. */
  get nextIsControl(): boolean {
    return this.hasMore && (this.bytes.readInt16BE(this.#at + FIELD.attributes) & ATTRIBUTE.control) !== 0;
  }

  /**
   * The next batch, and whether its records count.
   * @throws {KafkaClientError} CORRUPT_MESSAGE, UNSUPPORTED_COMPRESSION_TYPE
   */
  take(): { readonly batch: LogBatch; readonly counts: boolean } | undefined {
    if (!this.hasMore) return undefined;
    const size = sizeAt(this.bytes, this.#at);
    const [batch] = readBatches(this.bytes.subarray(this.#at, this.#at + size));
    if (batch === undefined) return undefined;
    this.#at += size;
    return { batch, counts: this.#counts(batch) };
  }

  #counts({ lastOffset, producerId, isTransactional, control }: LogBatch): boolean {
    for (;;) {
      const next = this.#aborted[this.#nextAborted];
      if (next === undefined || next.firstOffset > lastOffset) break;
      this.#dropped.add(next.producerId);
      this.#nextAborted++;
    }
    if (control === 'abort') this.#dropped.delete(producerId);
    return control === undefined && !(isTransactional && this.#dropped.has(producerId));
  }
}

function sizeAt(bytes: Buffer, at: number): number {
  return FRAME_BYTES + bytes.readInt32BE(at + FIELD.length);
}

/** Without the part of a batch that may come at the end. */
function wholeBytes(bytes: Buffer): number {
  let at = 0;
  while (bytes.length - at >= FRAME_BYTES) {
    const size = sizeAt(bytes, at);
    if (size <= FRAME_BYTES || size > bytes.length - at) break;
    at += size;
  }
  return at;
}

function lastBatch(bytes: Buffer, size: number): number | undefined {
  let last: number | undefined;
  for (let at = 0; at < size; at += sizeAt(bytes, at)) last = at;
  return last;
}

function offsetBehind(bytes: Buffer, at: number): bigint {
  return bytes.readBigInt64BE(at) + BigInt(bytes.readInt32BE(at + FIELD.lastOffsetDelta)) + 1n;
}
