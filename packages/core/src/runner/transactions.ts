/**
 * One transaction after the other, from the claim of a session until the assignment ends, something fails or a stop is asked for.
 * Reading and transforming overlap writing; where the sink can stage, filling a transaction overlaps the commit of the last one.
 */
import { EosError, isEosError } from '../errors.js';
import type { PartitionId } from '../identifiers.js';
import type { Advance, Advances, Position, Positions } from '../positions.js';
import type { SinkSession, SinkTransaction } from '../sink.js';
import type { SourceBatch, SourceReader } from '../source.js';
import type { SentCommit } from './claim-ledger.js';
import type { Environment } from './environment.js';
import { Feed, type FedBatch, type Transform } from './feed.js';
import type { Trigger } from './trigger.js';
import { Wakeup } from './wakeup.js';

/** A transaction with all its rows written, and how far it moves each partition. */
interface Filled<Row> {
  readonly transaction: SinkTransaction<Row>;
  readonly to: ReadonlyMap<PartitionId, SourceBatch<unknown>>;
  readonly rows: number;
  readonly written: number;
}

export interface Acknowledged extends SentCommit {
  readonly positions: Positions;
  readonly rows: number;
  readonly written: number;
  readonly milliseconds: number;
}

export interface TransactionLoopOptions<In, Row> {
  readonly session: SinkSession<Row>;
  readonly reader: SourceReader<In>;
  readonly transform: Transform<In, Row>;
  readonly trigger: Trigger;
  readonly staging: boolean;
  /** Aborted: no more is read, what was written is committed. */
  readonly stop: AbortSignal;
  /** Aborted: the open transaction is rolled back. */
  readonly revoked: AbortSignal | undefined;
  readonly environment: Environment;
  readonly onSend: (sent: SentCommit & { readonly rows: number; readonly written: number }) => void;
  readonly onAcknowledged: (commit: Acknowledged) => void;
}

/** Runs until the assignment ends (`end`), `stop` or `revoked` is aborted. Closes neither session nor reader. */
export async function runTransactions<In, Row>(
  options: TransactionLoopOptions<In, Row>,
): Promise<'end' | 'stopped' | 'revoked'> {
  const loop = new TransactionLoop(options);
  return await loop.run();
}

class TransactionLoop<In, Row> {
  readonly #wakeup = new Wakeup();
  readonly #feed: Feed<In, Row>;
  #committing: Promise<void> = Promise.resolve();
  #commitFailure: { readonly error: unknown } | undefined;
  #open: SinkTransaction<Row> | undefined;

  constructor(private readonly options: TransactionLoopOptions<In, Row>) {
    const { reader, transform, session } = options;
    this.#feed = new Feed(reader, transform, session.positions, this.#wakeup.wake);
  }

  async run(): Promise<'end' | 'stopped' | 'revoked'> {
    const { stop, revoked } = this.options;
    stop.addEventListener('abort', this.#wakeup.wake);
    revoked?.addEventListener('abort', this.#wakeup.wake);
    try {
      return await this.#run();
    } catch (error) {
      // A failed commit is the reason why the next transaction failed too, not the other way round.
      await this.#committing;
      throw this.#commitFailure?.error ?? error;
    } finally {
      stop.removeEventListener('abort', this.#wakeup.wake);
      revoked?.removeEventListener('abort', this.#wakeup.wake);
      await this.#committing;
      await this.#open?.rollback();
    }
  }

  async #run(): Promise<'end' | 'stopped' | 'revoked'> {
    for (;;) {
      if (!this.options.staging) await this.#lastCommit();
      const filled = await this.#fill();
      await this.#lastCommit();
      if (this.options.revoked?.aborted) return 'revoked';
      if (filled === undefined) return this.options.stop.aborted ? 'stopped' : 'end';
      await filled.transaction.prepare();
      this.#startCommit(filled, await this.#range(filled.to));
    }
  }

  /** Waits for the commit in flight. @throws what it threw */
  async #lastCommit(): Promise<void> {
    await this.#committing;
    if (this.#commitFailure !== undefined) throw this.#commitFailure.error;
  }

  /** Begins a transaction with the first batch and writes until a trigger says enough; undefined where there is no batch. */
  async #fill(): Promise<Filled<Row> | undefined> {
    const { trigger, environment, session } = this.options;
    const to = new Map<PartitionId, SourceBatch<unknown>>();
    let [rows, written, bytes] = [0, 0, 0];
    let deadline = Infinity;
    this.#feed.request(trigger.rows);
    while (rows < trigger.rows && bytes < trigger.bytes && environment.now() < deadline) {
      const batch = await this.#nextBatch(deadline);
      if (batch === undefined) break;
      if (this.#open === undefined) {
        deadline = environment.now() + trigger.intervalMs;
        this.#open = await session.begin();
      }
      rows += batch.source.rows.length;
      bytes += batch.source.bytes;
      written += batch.changes.rows.length;
      to.set(batch.source.partition, batch.source);
      // Read ahead while the sink writes: the rest of this transaction, or the start of the next one.
      this.#feed.request(rows < trigger.rows ? trigger.rows - rows : trigger.rows);
      await this.#open.write(batch.changes);
    }
    if (this.#open === undefined) return undefined;
    return { transaction: this.#open, to, rows, written };
  }

  /** Undefined at the end, at the deadline, and where a stop was asked for. @throws what the commit in flight threw */
  async #nextBatch(deadline: number): Promise<FedBatch<Row> | undefined> {
    const { stop, revoked, environment } = this.options;
    const wait = deadline - environment.now();
    const cancel = Number.isFinite(wait)
      ? environment.after(Math.max(0, wait), this.#wakeup.wake)
      : undefined;
    try {
      for (;;) {
        if (this.#commitFailure !== undefined) throw this.#commitFailure.error;
        if (stop.aborted || revoked?.aborted) return undefined;
        const batch = this.#feed.take();
        if (batch !== undefined) return batch === 'end' ? undefined : batch;
        if (environment.now() >= deadline) return undefined;
        await this.#wakeup.wait();
      }
    } finally {
      cancel?.();
    }
  }

  async #range(
    batches: ReadonlyMap<PartitionId, SourceBatch<unknown>>,
  ): Promise<{ from: Positions; to: Advances }> {
    const from = new Map<PartitionId, Position>();
    const to = new Map<PartitionId, Advance>();
    for (const [partition, batch] of batches) {
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
      to.set(partition, { offset: batch.next, source: await batch.identity() });
    }
    return { from, to };
  }

  #startCommit({ transaction, rows, written }: Filled<Row>, range: { from: Positions; to: Advances }): void {
    const { environment, onSend, onAcknowledged, session } = this.options;
    const sent = { txId: transaction.id, from: range.from, rows, written };
    const start = environment.now();
    this.#open = undefined;
    onSend(sent);
    this.#committing = transaction.commit(range).then(
      () => {
        const positions = new Map([...range.to.keys()].flatMap((name) => entry(session.positions, name)));
        onAcknowledged({ ...sent, positions, milliseconds: environment.now() - start });
      },
      (error: unknown) => {
        this.#commitFailure = { error };
        this.#wakeup.wake();
      },
    );
  }
}

function entry(positions: Positions, partition: PartitionId): [PartitionId, Position][] {
  const position = positions.get(partition);
  return position === undefined ? [] : [[partition, position]];
}

/** True where the session cannot have been the cause: the same work may succeed after recover. */
export function isRetryable(error: unknown): error is EosError {
  return isEosError(error) && error.retryable;
}
