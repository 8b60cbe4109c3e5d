/**
 * One transaction after the other, from the claim of a session until the assignment ends, something fails or a stop is asked for.
 * Reading and transforming overlap writing; where the sink can stage, filling a transaction overlaps `prepare` and `commit` of the
 * last one.
 */
import { Op } from '../changes.js';
import type { ChangelogMode } from '../changelog.js';
import { EosError } from '../errors.js';
import type { PartitionId } from '../identifiers.js';
import type { Advance, Position, Positions, SourceIdentity } from '../positions.js';
import type { CommitRange, RejectedRows, SinkSession, SinkTransaction } from '../sink.js';
import type { SourceBatch, SourceReader } from '../source.js';
import type { SentCommit } from './claim-ledger.js';
import type { Environment } from './environment.js';
import { Feed, sourceError, type FedBatch, type Transform } from './feed.js';
import type { Trigger } from './trigger.js';
import { Wakeup } from './wakeup.js';

/** Rows of the source, what the transform made of them, and how many of these the sink set aside. */
export interface RowCount {
  readonly rows: number;
  readonly written: number;
  readonly rejected: number;
}

/** What a transaction holds of one partition, and the last batch of it. */
interface Part extends RowCount {
  readonly last: SourceBatch<unknown>;
}

type Parts = ReadonlyMap<PartitionId, Part>;

/** A transaction with all its rows written. */
interface Filled<Row> {
  readonly transaction: SinkTransaction<Row>;
  readonly parts: Parts;
}

/** By partition, since a sink may commit each by itself. */
export interface Sent extends SentCommit {
  readonly counts: ReadonlyMap<PartitionId, RowCount>;
  readonly examples: RejectedRows['examples'];
}

export interface Acknowledged extends Sent {
  readonly positions: Positions;
  readonly milliseconds: number;
}

export interface TransactionLoopOptions<In, Row> {
  readonly session: SinkSession<Row>;
  readonly reader: SourceReader<In>;
  readonly transform: Transform<In, Row>;
  /** What the transform produces. */
  readonly changelog: ChangelogMode;
  readonly trigger: Trigger;
  /** How long the destination lets a transaction be open. Default: for ever. */
  readonly transactionTimeoutMs?: number | undefined;
  readonly staging: boolean;
  /** Aborted: no more is read, what was written is committed. */
  readonly stop: AbortSignal;
  /** Aborted: the open transaction is rolled back. */
  readonly revoked: AbortSignal | undefined;
  readonly environment: Environment;
  readonly onSend: (sent: Sent) => void;
  readonly onAcknowledged: (commit: Acknowledged) => void;
}

/** Runs until the assignment ends (`end`), `stop` or `revoked` is aborted. Closes the reader, not the session. */
export async function runTransactions<In, Row>(
  options: TransactionLoopOptions<In, Row>,
): Promise<'end' | 'stopped' | 'revoked'> {
  const loop = new TransactionLoop(options);
  return await loop.run();
}

class TransactionLoop<In, Row> {
  readonly #wakeup = new Wakeup();
  readonly #feed: Feed<In, Row>;
  /** `prepare` and `commit` of the last transaction that was filled; never rejects. */
  #settling: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;
  #open: SinkTransaction<Row> | undefined;
  #isDue = false;
  #cancelTimer: () => void = () => {};
  /** True where the second half of an update did not come in time. */
  #isHalfDue = false;
  #cancelHalfTimer: (() => void) | undefined;

  constructor(private readonly options: TransactionLoopOptions<In, Row>) {
    const { reader, transform, changelog, session } = options;
    this.#feed = new Feed(reader, transform, changelog, session.positions, this.#wakeup.wake);
  }

  async run(): Promise<'end' | 'stopped' | 'revoked'> {
    const { stop, revoked } = this.options;
    stop.addEventListener('abort', this.#wakeup.wake);
    revoked?.addEventListener('abort', this.#wakeup.wake);
    try {
      return await this.#run();
    } catch (error) {
      // What failed in the last transaction is the reason why the next one failed too, not the other way round.
      await this.#settling;
      throw this.#failure?.error ?? error;
    } finally {
      stop.removeEventListener('abort', this.#wakeup.wake);
      revoked?.removeEventListener('abort', this.#wakeup.wake);
      this.#cancelTimers();
      await this.#settling;
      await this.#open?.rollback();
      await this.#feed.close();
    }
  }

  async #run(): Promise<'end' | 'stopped' | 'revoked'> {
    for (;;) {
      if (!this.options.staging) await this.#lastSettled();
      const filled = await this.#fill();
      await this.#lastSettled();
      if (this.options.revoked?.aborted) return 'revoked';
      if (filled === undefined) return this.options.stop.aborted ? 'stopped' : 'end';
      this.#open = undefined;
      this.#settling = this.#settle(filled).catch((error: unknown) => {
        this.#failure = { error };
        this.#wakeup.wake();
      });
    }
  }

  /** Waits until the last transaction is committed. @throws what its prepare or commit threw */
  async #lastSettled(): Promise<void> {
    await this.#settling;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Begins a transaction with the first batch and writes until a trigger says enough; undefined where there is nothing to commit. */
  async #fill(): Promise<Filled<Row> | undefined> {
    const { trigger, session } = this.options;
    const parts = new Map<PartitionId, Part>();
    const count = { rows: 0, bytes: 0 };
    // Partitions whose last row is the first half of an update.
    const halves = new Set<PartitionId>();
    const isFull = () => count.rows >= trigger.rows || count.bytes >= trigger.bytes || this.#isDue;
    this.#isDue = false;
    this.#isHalfDue = false;
    this.#feed.request(trigger.rows);
    const awaitsHalf = () => halves.size > 0 && !this.#isHalfDue;
    while (!isFull() || awaitsHalf()) {
      if (isFull()) this.#startHalfTimer();
      const batch = await this.#nextBatch(halves);
      if (batch === undefined) break;
      if (this.#open === undefined) {
        this.#startTimer();
        this.#open = await session.begin();
      }
      const { source, changes } = batch;
      count.rows += source.rows.length;
      count.bytes += source.bytes;
      const { rows, written } = parts.get(source.partition) ?? NO_ROWS;
      parts.set(source.partition, {
        last: source,
        rows: rows + source.rows.length,
        written: written + changes.rows.length,
        rejected: 0,
      });
      if (source.ops?.at(-1) === Op.updateBefore) halves.add(source.partition);
      // A batch without rows, which only moves over a gap, ends no update.
      else if (source.rows.length > 0) halves.delete(source.partition);
      // Read ahead while the sink writes: the rest of this transaction, or the start of the next one.
      this.#feed.request(halves.size > 0 ? 1 : isFull() ? trigger.rows : trigger.rows - count.rows);
      await this.#open.write(changes);
    }
    this.#cancelTimers();
    // A stop in the middle of an update leaves the transaction to the next run: readers should not see a row gone.
    const isHalved = halves.size > 0 && this.options.stop.aborted;
    if (this.#open === undefined || isHalved) return undefined;
    return { transaction: this.#open, parts };
  }

  /** The timer itself says that it is time: a clock of another resolution could say not yet, and never be asked again. */
  #startTimer(): void {
    const { environment, trigger, transactionTimeoutMs = Infinity } = this.options;
    // Half of what there is: the rest is for the commit, and for the second half of an update.
    const dueMs = Math.min(trigger.intervalMs, transactionTimeoutMs / 2);
    this.#cancelTimer = environment.after(dueMs, () => {
      this.#isDue = true;
      this.#startHalfTimer();
      this.#wakeup.wake();
    });
  }

  /** A second half may never come: a filter upstream dropped it, or a changed key sent it to another partition. */
  #startHalfTimer(): void {
    const { environment, transactionTimeoutMs = Infinity } = this.options;
    const waitMs = Math.min(HALF_WAIT_MS, transactionTimeoutMs / 4);
    this.#cancelHalfTimer ??= environment.after(waitMs, () => {
      this.#isHalfDue = true;
      this.#wakeup.wake();
    });
  }

  #cancelTimers(): void {
    this.#cancelTimer();
    this.#cancelHalfTimer?.();
    this.#cancelHalfTimer = undefined;
  }

  /** Undefined at the end, when the transaction is due, and where a stop was asked for. @throws what the transaction before threw */
  async #nextBatch(halves: ReadonlySet<PartitionId>): Promise<FedBatch<Row> | undefined> {
    const { stop, revoked } = this.options;
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.error;
      if (stop.aborted || revoked?.aborted) return undefined;
      const batch = this.#feed.take();
      if (batch !== undefined) return batch === 'end' ? undefined : batch;
      if (this.#isHalfDue || (this.#isDue && halves.size === 0)) return undefined;
      await this.#wakeup.wait();
    }
  }

  async #range(parts: Parts): Promise<CommitRange> {
    const from = new Map<PartitionId, Position>();
    const to = new Map<PartitionId, Advance>();
    for (const [partition, { last }] of parts) {
      const position = this.options.session.positions.get(partition);
      if (position === undefined) {
        throw new EosError(
          'EOS_RANGE',
          `the source handed out rows of partition ${partition}, which is not assigned`,
          {
            details: { partition },
          },
        );
      }
      from.set(partition, position);
      to.set(partition, { offset: last.next, source: await identityOf(last) });
    }
    return { from, to };
  }

  async #settle({ transaction, parts }: Filled<Row>): Promise<void> {
    const range = await this.#prepare(transaction, parts);
    const { environment, onSend, onAcknowledged, session } = this.options;
    const { counts, examples } = transaction.rejected ?? NONE_REJECTED;
    const sent = { txId: transaction.id, from: range.from, counts: withRejected(parts, counts), examples };
    const start = environment.now();
    onSend(sent);
    await transaction.commit(range);
    const positions = new Map([...range.to.keys()].flatMap((name) => entry(session.positions, name)));
    onAcknowledged({ ...sent, positions, milliseconds: environment.now() - start });
  }

  async #prepare(transaction: SinkTransaction<Row>, parts: Parts): Promise<CommitRange> {
    try {
      await transaction.prepare();
      return await this.#range(parts);
    } catch (error) {
      await transaction.rollback();
      throw error;
    }
  }
}

/** How much longer than its trigger a transaction waits for the second half of an update. */
const HALF_WAIT_MS = 10_000;

const NO_ROWS: RowCount = { rows: 0, written: 0, rejected: 0 };
const NONE_REJECTED: RejectedRows = { counts: new Map(), examples: [] };

function withRejected(parts: Parts, rejected: RejectedRows['counts']): ReadonlyMap<PartitionId, RowCount> {
  if (rejected.size === 0) return parts;
  return new Map([...parts].map(([name, part]) => [name, { ...part, rejected: rejected.get(name) ?? 0 }]));
}

function entry(positions: Positions, partition: PartitionId): [PartitionId, Position][] {
  const position = positions.get(partition);
  return position === undefined ? [] : [[partition, position]];
}

async function identityOf(batch: SourceBatch<unknown>): Promise<SourceIdentity> {
  try {
    return await batch.identity();
  } catch (error) {
    throw sourceError(error);
  }
}
