/**
 * One run of a pipeline: claims, runs transactions, and after any failure that may pass recovers, settles, seeks and reads again.
 * A retry never sends anything twice: it starts from what the destination holds.
 */
import type { ChangelogMode } from '../changelog.js';
import { EosError, isEosError } from '../errors.js';
import type { PartitionId } from '../identifiers.js';
import type { Position, Positions } from '../positions.js';
import type { Sink, SinkConnector, SinkSession } from '../sink.js';
import type { Assignment, Source } from '../source.js';
import type { RetryOptions } from './backoff.js';
import { settle, type ClaimLedger } from './claim-ledger.js';
import type { Environment } from './environment.js';
import type { Publish } from './events.js';
import { sourceError, type Transform } from './feed.js';
import { Rejoining } from './rejoining.js';
import { Retrying } from './retrying.js';
import { runTransactions, type Acknowledged, type RowCount, type Sent } from './transactions.js';
import type { Trigger } from './trigger.js';

/** How a run ended. */
export interface RunResult {
  /** `end`: the source has no more; `stopped`: a signal asked for it. */
  readonly reason: 'end' | 'stopped';
  /** Source rows that this run committed. */
  readonly rows: number;
  /** Rows that the transform made of them. */
  readonly written: number;
  /** How many of those the sink set aside, as dead letters or skipped. */
  readonly rejected: number;
  readonly commits: number;
  /** How often this run tried again after a failure. */
  readonly recoveries: number;
  /** The positions of the partitions read last. */
  readonly positions: Positions;
  /** With `stopped`: why what was written last may not be committed. The next run reads it again where it is not. */
  readonly failure?: EosError;
}

export interface RunOptions<In, Row> {
  readonly pipeline: string;
  readonly sinkName: string;
  readonly source: Source<In>;
  readonly transform: Transform<In, Row>;
  readonly changelog: ChangelogMode;
  readonly connector: SinkConnector<Row>;
  readonly trigger: Trigger;
  readonly retry: RetryOptions;
  readonly stopTimeoutMs: number;
  readonly environment: Environment;
  readonly publish: Publish;
  readonly ledger: ClaimLedger;
  readonly stop: AbortSignal;
}

export async function runPipeline<In, Row>(options: RunOptions<In, Row>): Promise<RunResult> {
  return await new PipelineRun(options).run();
}

type Ended = 'end' | 'stopped' | 'revoked';

class PipelineRun<In, Row> {
  readonly #retrying: Retrying;
  readonly #rejoining: Rejoining;
  #sent: Sent | undefined;
  #sink: Sink<Row> | undefined;
  #failure: EosError | undefined;
  readonly #total = { rows: 0, written: 0, rejected: 0, commits: 0 };
  #positions: Positions = new Map<PartitionId, Position>();

  constructor(private readonly options: RunOptions<In, Row>) {
    this.#retrying = new Retrying(options.retry, options.environment, options.publish);
    this.#rejoining = new Rejoining(options.retry, options.environment, options.publish);
  }

  async run(): Promise<RunResult> {
    const forced = this.#forcedStop();
    try {
      return await Promise.race([this.#run(), forced.stopped]);
    } catch (error) {
      if (isEosError(error, 'EOS_FENCED')) this.options.publish('eos:fence', () => ({ error, isOver: true }));
      throw error;
    } finally {
      forced.cancel();
    }
  }

  async #run(): Promise<RunResult> {
    const { connector, pipeline, sinkName, source, stop } = this.options;
    const opened = await this.#repeat(async () => {
      this.#sink = await connector.open({ pipeline, sink: sinkName });
      return this.#sink;
    }, stop);
    if (opened === 'stopped') return this.#result('stopped');
    try {
      const ended = await this.#repeat(async () => {
        for await (const assignment of source.assignments({ pipeline, signal: stop })) {
          if ((await this.#runAssignment(opened, assignment)) === 'stopped') return 'stopped';
        }
        return stop.aborted ? 'stopped' : 'end';
      }, stop);
      return this.#result(ended);
    } finally {
      await closeQuietly(opened);
    }
  }

  /**
   * A destination that does not answer must not hold up a stop for ever: closing the sink ends what waits for it, and after as long
   * again the run ends whatever still hangs. Nothing is lost by it: the next run starts from what the destination holds.
   */
  #forcedStop(): { readonly stopped: Promise<RunResult>; readonly cancel: () => void } {
    const { stop, stopTimeoutMs, environment } = this.options;
    let cancelTimer = () => {};
    let onStop = () => {};
    const stopped = new Promise<RunResult>((resolve) => {
      onStop = () => {
        cancelTimer = environment.after(stopTimeoutMs, () => {
          if (this.#sink !== undefined) void closeQuietly(this.#sink);
          cancelTimer = environment.after(stopTimeoutMs, () => resolve(this.#result('stopped')));
        });
      };
    });
    stop.addEventListener('abort', onStop, { once: true });
    if (stop.aborted) onStop();
    const cancel = () => {
      stop.removeEventListener('abort', onStop);
      cancelTimer();
    };
    return { stopped, cancel };
  }

  async #runAssignment(sink: Sink<Row>, assignment: Assignment<In>): Promise<Ended> {
    const { stop, ledger } = this.options;
    const { partitions, revoked, rejoin } = assignment;
    const signal = revoked === undefined ? stop : AbortSignal.any([stop, revoked]);
    const ended = await this.#repeat(async () => {
      if (revoked?.aborted) return 'revoked';
      try {
        return await this.#attempt(sink, assignment);
      } catch (error) {
        // Whoever the partitions went to may have claimed them before this member was told.
        if (revoked?.aborted) return 'revoked';
        if (rejoin === undefined || !isEosError(error, 'EOS_FENCED')) throw error;
        await this.#rejoining.pause(error, signal);
        rejoin();
        return 'revoked';
      }
    }, signal);
    if (ended !== 'stopped') {
      ledger.forget(partitions);
      this.#sent = undefined;
    }
    return ended;
  }

  async #attempt(sink: Sink<Row>, assignment: Assignment<In>): Promise<Ended> {
    const session = await this.#recover(sink, assignment.partitions);
    try {
      return await this.#read(session, assignment);
    } finally {
      await closeQuietly(session);
    }
  }

  async #recover(sink: Sink<Row>, partitions: readonly PartitionId[]): Promise<SinkSession<Row>> {
    const { ledger, publish } = this.options;
    const session = await ledger.recover(sink, partitions);
    publish('eos:claim', () => ({ owner: session.owner, positions: new Map(session.positions) }));
    this.#positions = session.positions;
    try {
      this.#settleSent(session.positions);
    } catch (error) {
      await closeQuietly(session);
      throw error;
    }
    return session;
  }

  /** The one place where a lost answer is settled (law 3). */
  #settleSent(found: Positions): void {
    const sent = this.#sent;
    this.#sent = undefined;
    if (sent === undefined) return;
    const outcomes = settle(sent, found, this.options.connector.capabilities.atomic);
    this.options.publish('eos:settle', () => ({ txId: sent.txId, outcomes }));
    const committed = [...outcomes].flatMap(([partition, outcome]) =>
      outcome === 'committed' ? [partition] : [],
    );
    if (committed.length > 0) this.#committed(sent, committed);
  }

  async #read(session: SinkSession<Row>, assignment: Assignment<In>): Promise<Ended> {
    const { stop, transform, changelog, trigger, environment, connector } = this.options;
    const reader = await assignment.open(session.positions, stop).catch((error: unknown) => {
      throw sourceError(error);
    });
    try {
      return await runTransactions({
        session,
        reader,
        transform,
        changelog,
        trigger,
        transactionTimeoutMs: connector.capabilities.transactionTimeoutMs,
        staging: connector.capabilities.staging,
        stop,
        revoked: assignment.revoked,
        environment,
        onSend: (sent) => {
          this.#sent = sent;
        },
        onAcknowledged: (commit) => this.#acknowledged(commit),
      });
    } catch (error) {
      throw this.#judged(error);
    }
  }

  #acknowledged(commit: Acknowledged): void {
    const { publish, ledger } = this.options;
    this.#sent = undefined;
    ledger.advanced(commit.positions);
    const { rows, written, rejected } = this.#committed(commit, commit.counts.keys());
    const { txId, positions, milliseconds, examples } = commit;
    publish('eos:commit', () => ({ txId, positions, rows, written, rejected, milliseconds }));
    if (rejected > 0) publish('eos:reject', () => ({ txId, rows: rejected, examples }));
  }

  /** What the destination has decided needs no settling; what cannot be read again cannot be tried again. */
  #judged(error: unknown): unknown {
    if (!isEosError(error)) return error;
    if (error.outcome !== 'unknown' && error.outcomes === undefined) this.#sent = undefined;
    const { replayable, description } = this.options.source;
    if (replayable || !error.retryable) return error;
    const { code, outcome, details } = error;
    const message = `${error.message}; ${description} cannot be read again, so this run ends here`;
    return new EosError(code, message, { cause: error, outcome, details });
  }

  /** Does `work` until it succeeds, fails for good, or a stop was asked for. `signal` only cuts a pause short. */
  async #repeat<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T | 'stopped'> {
    const { stop } = this.options;
    for (;;) {
      if (stop.aborted) return 'stopped';
      try {
        return await work();
      } catch (error) {
        if (!this.#isOfStop(error)) await this.#retrying.pause(error, signal);
      }
    }
  }

  /** After a stop, what may pass or fails because everything is being closed ends the run, not in an error. */
  #isOfStop(error: unknown): boolean {
    if (!this.options.stop.aborted || !isEosError(error)) return false;
    if (!error.retryable && error.code !== 'EOS_CLOSED' && error.code !== 'EOS_ABORTED') return false;
    this.#failure = error;
    return true;
  }

  /** Counts what a transaction moved: these partitions, which are all of them unless each commits by itself. */
  #committed({ counts }: Sent, partitions: Iterable<PartitionId>): RowCount {
    this.#retrying.succeeded();
    const moved = { rows: 0, written: 0, rejected: 0 };
    for (const partition of partitions) {
      const count = counts.get(partition);
      moved.rows += count?.rows ?? 0;
      moved.written += count?.written ?? 0;
      moved.rejected += count?.rejected ?? 0;
    }
    this.#total.rows += moved.rows;
    this.#total.written += moved.written;
    this.#total.rejected += moved.rejected;
    this.#total.commits++;
    return moved;
  }

  #result(reason: 'end' | 'stopped'): RunResult {
    const result = {
      reason,
      ...this.#total,
      recoveries: this.#retrying.total,
      positions: new Map(this.#positions),
    };
    return this.#failure === undefined ? result : { ...result, failure: this.#failure };
  }
}

/** What could not be closed properly is gone all the same, and must not hide why it was closed. */
async function closeQuietly(resource: { close(): Promise<void> }): Promise<void> {
  try {
    await resource.close();
  } catch {
    // See above.
  }
}
