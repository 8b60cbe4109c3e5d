/** Reads an array. */
import type { PartitionId } from '../identifiers.js';
import type { SourceIdentity } from '../positions.js';
import type { ReadLimit, SourceBatch, SourceReader } from '../source.js';
import { abortedError, closedError, rowLimit } from './reader-errors.js';

export interface IterablePlace {
  readonly partition: PartitionId;
  readonly identity: SourceIdentity;
}

export class ArrayReader<Row> implements SourceReader<Row> {
  #isClosed = false;

  constructor(
    private readonly items: readonly Row[],
    private readonly ops: Uint8Array | undefined,
    private readonly place: IterablePlace,
    private next: number,
    private readonly signal: AbortSignal,
  ) {}

  async read(limit: ReadLimit): Promise<SourceBatch<Row> | undefined> {
    if (this.#isClosed) throw closedError();
    if (this.signal.aborted) throw abortedError();
    const { items, ops, next: from } = this;
    const to = Math.min(items.length, from + rowLimit(limit));
    if (from === to) return undefined;
    this.next = to;
    const rows = items.slice(from, to);
    const offsets = new BigInt64Array(to - from);
    for (let index = from; index < to; index++) offsets[index - from] = BigInt(index);
    const { partition, identity } = this.place;
    return {
      rows,
      ...(ops === undefined ? {} : { ops: ops.slice(from, to) }),
      partition,
      offsets,
      next: BigInt(to),
      bytes: aboutBytes(rows),
      identity: () => Promise.resolve(identity),
    };
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return Promise.resolve();
  }
}

/** About how large rows are: by the first one, since looking at all would cost more than it is worth. */
export function aboutBytes(rows: readonly unknown[]): number {
  return rows.length * sizeOf(rows[0]);
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return 8;
  if (value instanceof Uint8Array) return value.length;
  let size = 2;
  for (const [name, member] of Object.entries(value)) size += name.length + 4 + sizeOf(member);
  return size;
}
