/** Reads rows that come with their offsets, one by one or in arrays. */
import type { ChangelogMode } from '../changelog.js';
import { Op, parseOp, type OpName } from '../changes.js';
import { EosError } from '../errors.js';
import { MAX_INT64 } from '../identifiers.js';
import type { ReadLimit, SourceBatch, SourceReader } from '../source.js';
import { aboutBytes, type IterablePlace } from './array-reader.js';
import { Interruption } from './interruption.js';
import { rowLimit } from './reader-errors.js';

/** A row with its offset. */
export interface Entry<Row> {
  readonly offset: bigint;
  readonly row: Row;
  /** Default `+I`; any other needs the source's `changelog`. */
  readonly op?: OpName;
}

export type Entries<Row> =
  Iterable<Entry<Row> | readonly Entry<Row>[]> | AsyncIterable<Entry<Row> | readonly Entry<Row>[]>;

export interface EntryPlace extends IterablePlace {
  readonly changelog: ChangelogMode;
  /** Entries below are dropped. */
  readonly from: bigint | null;
}

type Item<Row> = Entry<Row> | readonly Entry<Row>[];
type Pulled<Row> = IteratorResult<Item<Row>, unknown>;

export function openEntries<Row>(
  entries: Entries<Row>,
  place: EntryPlace,
  signal: AbortSignal,
): SourceReader<Row> {
  const interruption = new Interruption(signal);
  if (!(Symbol.asyncIterator in entries))
    return new EntryReader(entries[Symbol.iterator](), place, interruption);
  const iterator = entries[Symbol.asyncIterator]();
  const pulling = { next: async () => await iterator.next(), return: async () => await iterator.return?.() };
  return new EntryReader(pulling, place, interruption);
}

/** Either kind of iterator. What has no promise is not waited for. */
interface Pulling<Row> {
  next(): Pulled<Row> | Promise<Pulled<Row>>;
  return?(): unknown;
}

class EntryReader<Row> implements SourceReader<Row> {
  /** What was pulled and not yet handed out, from `#at` on. */
  #queue: readonly Entry<Row>[] = [];
  #at = 0;
  #pending: Promise<Pulled<Row>> | undefined;
  #isDone = false;
  #isClosed = false;
  #last = -1n;

  constructor(
    private readonly entries: Pulling<Row>,
    private readonly place: EntryPlace,
    private readonly interruption: Interruption,
  ) {}

  async read(readLimit: ReadLimit): Promise<SourceBatch<Row> | undefined> {
    const limit = rowLimit(readLimit);
    this.interruption.check();
    const taken: Entry<Row>[] = [];
    for (;;) {
      this.#take(taken, limit);
      if (taken.length === limit || (this.#isDone && taken.length > 0)) break;
      if (this.#isDone) return undefined;
      const pulled = this.#pending ?? this.entries.next();
      const result = pulled instanceof Promise ? await this.#settled(pulled, taken.length > 0) : pulled;
      if (result === undefined) break;
      if (result.done === true) this.#isDone = true;
      else this.#queue = isList(result.value) ? result.value : [result.value];
      this.#at = 0;
    }
    return this.#batch(taken);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.interruption.close();
    if (this.#isDone) return;
    try {
      const returned = this.entries.return?.();
      // An iterator ends after the item it is waiting for, which may never come.
      if (this.#pending === undefined) await returned;
      else if (returned instanceof Promise) returned.catch(() => undefined);
    } catch {
      // It is done with, however it ends.
    }
  }

  #take(taken: Entry<Row>[], limit: number): void {
    const { from } = this.place;
    while (this.#at < this.#queue.length && taken.length < limit) {
      const entry = this.#queue[this.#at++];
      if (entry === undefined) continue;
      this.#checkOffset(entry.offset);
      if (from === null || entry.offset >= from) taken.push(entry);
    }
    if (this.#at === this.#queue.length) this.#queue = [];
  }

  /** @param isHurried whether to go on without what takes longer than other work that is ready to run */
  async #settled(pulled: Promise<Pulled<Row>>, isHurried: boolean): Promise<Pulled<Row> | undefined> {
    this.#pending = pulled;
    if (isHurried && !(await isReady(pulled))) return undefined;
    const result = await this.interruption.wait(pulled);
    this.#pending = undefined;
    return result;
  }

  #checkOffset(offset: unknown): void {
    const { partition } = this.place;
    if (typeof offset !== 'bigint' || offset < 0n || offset >= MAX_INT64) {
      const message = `partition ${partition}: the offset ${String(offset)} of an entry is no bigint of 0 to 2^63 - 2`;
      throw new EosError('EOS_SOURCE_FORMAT', message, { details: { partition } });
    }
    if (offset <= this.#last) {
      const message = `partition ${partition} handed out offset ${offset.toString()} after ${this.#last.toString()}`;
      throw new EosError('EOS_SOURCE_ORDER', message, { details: { partition, offset } });
    }
    this.#last = offset;
  }

  #batch(taken: readonly Entry<Row>[]): SourceBatch<Row> {
    const { partition, identity, changelog } = this.place;
    const rows = taken.map(({ row }) => row);
    const ops = Uint8Array.from(taken, (entry) => this.#op(entry));
    return {
      rows,
      ...(changelog === 'append' ? {} : { ops }),
      partition,
      offsets: BigInt64Array.from(taken, ({ offset }) => offset),
      next: (taken.at(-1)?.offset ?? 0n) + 1n,
      bytes: aboutBytes(rows),
      identity: () => Promise.resolve(identity),
    };
  }

  #op({ op: name = '+I', offset }: Entry<Row>): Op {
    const op = parseOp(name);
    const { changelog, partition } = this.place;
    if (op !== undefined && (op === Op.insert || changelog !== 'append')) return op;
    const problem = op === undefined ? 'is no +I, -U, +U or -D' : `needs changelog: 'upsert' or 'retract'`;
    throw new EosError(
      'EOS_SOURCE_FORMAT',
      `partition ${partition}, offset ${offset.toString()}: op ${name} ${problem}`,
      {
        details: { partition, offset },
      },
    );
  }
}

/** Whether a promise settles before the event loop turns. */
async function isReady(promise: Promise<unknown>): Promise<boolean> {
  const state = { isSettled: false };
  const settle = () => {
    state.isSettled = true;
  };
  promise.then(settle, settle);
  // An async generator that does not wait takes a few turns of the queue of microtasks; asking for the event loop's turn at once
  // would cost more than the row.
  for (let turn = 0; turn < 8 && !state.isSettled; turn++) await Promise.resolve();
  if (!state.isSettled) await new Promise(setImmediate);
  return state.isSettled;
}

function isList<Row>(item: Item<Row>): item is readonly Entry<Row>[] {
  return Array.isArray(item);
}
