/** Records as columns: one block of bytes for all keys, one for all values. No object per record, on the way in or out. */

/**
 * Byte strings. Value `i` is `bytes[starts[i] … ends[i])`. Where they lie one behind the other, both may be views of one array of
 * bounds: see {@link packedColumn}.
 */
export interface BytesColumn {
  readonly bytes: Buffer;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** 1 where the value is null, which is not the same as empty; absent: none is. */
  readonly nulls?: Uint8Array;
}

/** Records for one topic. */
export interface RecordColumns {
  readonly count: number;
  /** Absent: all are null. */
  readonly keys?: BytesColumn;
  readonly values: BytesColumn;
  /** Each value holds all headers of its record, as `encodeHeaders` makes them; absent: no record has any. */
  readonly headers?: BytesColumn;
  /** Milliseconds since 1970 of all records; default: now. */
  readonly timestamp?: number;
}

/** A record batch as it lies in the log. */
export interface LogBatch {
  /** Offset of the first record that the batch ever had. */
  readonly baseOffset: bigint;
  /** Offset of the last one. Compaction may have removed any of them, and leaves both numbers as they are. */
  readonly lastOffset: bigint;
  /** Epoch of the leader that wrote it: tells a log from another that took its place after a loss. */
  readonly leaderEpoch: number;
  /** -1: written without idempotence. */
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly isTransactional: boolean;
  /** Of a control batch: what became of the transaction that its producer had open in this partition. It holds no records. */
  readonly control: 'commit' | 'abort' | 'other' | undefined;
  /** Bytes of the batch in the log. */
  readonly size: number;
  readonly records: LogRecords;
}

/** Records as read: the same columns, with where each one lies. */
export interface LogRecords extends RecordColumns {
  readonly keys: BytesColumn;
  readonly headers: BytesColumn;
  /** Offset of record `i`, less `baseOffset` of the batch. */
  readonly offsetDeltas: Int32Array;
  /** Milliseconds since 1970. */
  readonly timestamps: Float64Array;
}

/** Value `index` as a view, not a copy; null where it is null. */
export function bytesAt({ bytes, starts, ends, nulls }: BytesColumn, index: number): Buffer | null {
  if (nulls !== undefined && nulls[index] === 1) return null;
  return bytes.subarray(starts[index], ends[index]);
}

/** A column of values that lie one behind the other; `bounds` has one entry more than there are values. */
export function packedColumn(bytes: Buffer, bounds: Int32Array, nulls?: Uint8Array): BytesColumn {
  const column = { bytes, starts: bounds.subarray(0, -1), ends: bounds.subarray(1) };
  return nulls === undefined ? column : { ...column, nulls };
}

/** A column of a few values that are at hand. For rows in bulk, fill the block of bytes directly. */
export function bytesColumn(values: readonly (Uint8Array | string | null)[]): BytesColumn {
  const parts = values.map((value) =>
    value === null ? EMPTY : typeof value === 'string' ? Buffer.from(value) : value,
  );
  const bounds = new Int32Array(values.length + 1);
  parts.forEach((part, index) => void (bounds[index + 1] = (bounds[index] ?? 0) + part.length));
  const nulls = values.includes(null)
    ? Uint8Array.from(values, (value) => (value === null ? 1 : 0))
    : undefined;
  return packedColumn(Buffer.concat(parts), bounds, nulls);
}

const EMPTY = Buffer.alloc(0);
