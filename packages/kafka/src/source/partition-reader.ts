/** From the fetched bytes of one partition to batches of rows. */
import type { SourceBatch } from '@eos/core';
import type { LogBatch } from '../client/records.js';
import type { PoisonRecord, RecordDecoder } from '../encoding/format.js';
import type { Chunk } from './chunk.js';
import { RowsOfBatch } from './rows-of-batch.js';
import { identityOf, recordMark, type LogMark, type RecordMark, type TopicPlace } from './topic-identity.js';

/** What becomes of a record that cannot be read. */
export interface PoisonPolicy {
  /** Goes on behind it, or throws. */
  judge(poison: PoisonRecord): void;
  /** A record was read: those that could not be are not in a row any more. */
  readGood(): void;
}

export class PartitionReader<Row> {
  readonly #rows: RowsOfBatch<Row>;
  #mark: LogMark;
  /** The batch at hand, and its first record that was not read. */
  #open: { readonly batch: LogBatch; index: number } | undefined;

  constructor(
    private readonly place: TopicPlace,
    private readonly name: string,
    private readonly decoder: RecordDecoder<Row>,
    hasOps: boolean,
    private readonly poison: PoisonPolicy,
    mark: LogMark,
    private readonly end: bigint | undefined,
  ) {
    this.#rows = new RowsOfBatch(hasOps);
    this.#mark = mark;
  }

  /**
   * Up to `limit` rows of a chunk; a record that has several comes whole. Without rows where all that is left only moves the position: control
   * records, aborted records, gaps. Undefined where nothing is left.
   */
  async read(chunk: Chunk, limit: number): Promise<SourceBatch<Row> | undefined> {
    const rows = this.#rows;
    rows.reset();
    let next: bigint | undefined;
    let bytes = 0;
    while (rows.count < limit || (this.#open === undefined && chunk.nextIsControl)) {
      this.#open ??= this.#nextBatch(chunk);
      if (this.#open === undefined) break;
      const { batch, index } = this.#open;
      const stop = this.#endIndex(batch);
      const to = Math.min(stop, index + Math.max(0, limit - rows.count));
      if (to > index) {
        await this.#decode(batch, index, to);
        bytes += Math.ceil((batch.size * (to - index)) / batch.records.count);
        this.#open.index = to;
      }
      if (to < stop) {
        next = batch.baseOffset + BigInt(batch.records.offsetDeltas[to - 1] ?? 0) + 1n;
        this.#note(batch, to - 1);
        break;
      }
      next = this.#finish(batch, stop);
    }
    return next === undefined ? undefined : this.#batch(next, bytes);
  }

  /** An empty batch, by which where reading begins is committed. */
  start(next: bigint): SourceBatch<Row> {
    this.#rows.reset();
    return this.#batch(next, 0);
  }

  /** The next batch of the log; one whose records do not count has none left to read. */
  #nextBatch(chunk: Chunk): { readonly batch: LogBatch; index: number } | undefined {
    const taken = chunk.take();
    if (taken === undefined) return undefined;
    const { batch, counts } = taken;
    const { count, offsetDeltas } = batch.records;
    if (!counts) return { batch, index: count };
    let index = 0;
    if (batch.baseOffset < chunk.from) {
      const first = Number(chunk.from - batch.baseOffset);
      while (index < count && (offsetDeltas[index] ?? 0) < first) index++;
    }
    return { batch, index };
  }

  /** Behind the last record that is to be read. */
  #endIndex({ baseOffset, lastOffset, records }: LogBatch): number {
    if (this.end === undefined || lastOffset < this.end) return records.count;
    const behind = Number(this.end - baseOffset);
    let index = records.count;
    while (index > 0 && (records.offsetDeltas[index - 1] ?? 0) >= behind) index--;
    return index;
  }

  #finish(batch: LogBatch, stop: number): bigint {
    this.#open = undefined;
    if (stop > 0) this.#note(batch, stop - 1);
    else this.#mark = { leaderEpoch: batch.leaderEpoch, record: this.#mark.record };
    const next = batch.lastOffset + 1n;
    return this.end !== undefined && next > this.end ? this.end : next;
  }

  #note(batch: LogBatch, index: number): void {
    this.#last = { batch, index };
    this.#mark = { leaderEpoch: batch.leaderEpoch, record: undefined };
  }

  #last: { readonly batch: LogBatch; readonly index: number } | undefined;

  async #decode(batch: LogBatch, from: number, to: number): Promise<void> {
    this.#rows.from(batch.baseOffset, batch.records.offsetDeltas);
    for (let index = from; index < to;) {
      const decoded = this.decoder.decode(batch, index, to, this.#rows);
      const poison = decoded instanceof Promise ? await decoded : decoded;
      if (poison === undefined || poison.index > index) this.poison.readGood();
      if (poison === undefined) return;
      this.poison.judge(poison);
      index = poison.index + 1;
    }
  }

  #batch(next: bigint, bytes: number): SourceBatch<Row> {
    const { rows } = this.#rows;
    const ops = this.#rows.ops();
    // Made now, not when it is asked for: a batch that is kept must not keep what was fetched.
    const identity = identityOf(this.place, this.#currentMark());
    return {
      partition: this.name,
      rows,
      ...(ops === undefined ? {} : { ops }),
      offsets: this.#rows.offsets(),
      next,
      bytes,
      identity: async () => identity,
    };
  }

  #currentMark(): LogMark {
    const last = this.#last;
    this.#last = undefined;
    if (last !== undefined) {
      const record: RecordMark = recordMark(last.batch, last.index);
      this.#mark = { leaderEpoch: this.#mark.leaderEpoch, record };
    }
    return this.#mark;
  }
}
