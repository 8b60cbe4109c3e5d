/**
 * One run of a pipeline: claims, runs transactions, and after any failure that may pass recovers, settles, seeks and reads again.
 * A retry never sends anything twice: it starts from what the destination holds.
 */
import { EosError, isEosError, messageOf } from '../errors.js';
import type { PartitionId } from '../identifiers.js';
import type { Position, Positions } from '../positions.js';
import type { Sink, SinkConnector, SinkSession } from '../sink.js';
import type { Assignment, Source, SourceReader } from '../source.js';
import { backoff, type RetryOptions } from './backoff.js';
import { ClaimLedger, settle, type SentCommit } from './claim-ledger.js';
import type { Environment } from './environment.js';
import { publisher, type Publish } from './events.js';
import type { Transform } from './feed.js';
import { runTransactions, type Acknowledged } from './transactions.js';
import type { Trigger } from './trigger.js';

/** How a run ended. */
export interface RunResult {
  /** `end`: the source has no more; `stopped`: a signal asked for it. */
  readonly reason: 'end' | 'stopped';
  /** Source rows that this run committed. */
  readonly rows: number;
  /** Rows that the transform made of them. */
  readonly written: number;
  readonly commits: number;
  /** How often this run recovered after a failure. */
  readonly recoveries: number;
  /** The positions of the partitions read last. */
  readonly positions: Positions;
}

export interface RunOptions<In, Row> {
  readonly pipeline: string;
  readonly sinkName: string;
  readonly source: Source<In>;
  readonly transform: Transform<In, Row>;
  readonly connector: SinkConnector<Row>;
  readonly trigger: Trigger;
  readonly retry: RetryOptions;
  readonly stopTimeoutMs: number;
  readonly environment: Environment;
  readonly stop: AbortSignal;
}

export async function runPipeline<In, Row>(options: RunOptions<In, Row>): Promise<RunResult> {
  return await new PipelineRun(options).run();
}

interface Sent extends SentCommit {
  readonly rows: number;
  readonly written: number;
}

class PipelineRun<In, Row> {
  readonly #publish: Publish;
  readonly #ledger: ClaimLedger;
  #sent: Sent | undefined;
  #attempt = 0;
  readonly #total = { rows: 0, written: 0, commits: 0, recoveries: 0 };
  #positions: Positions = new Map<PartitionId, Position>();

  constructor(private readonly options: RunOptions<In, Row>) {
    this.#publish = publisher(options.pipeline, options.sinkName);
    this.#ledger = new ClaimLedger(this.#publish);
  }

  async run(): Promise<RunResult> {
    const { connector, pipeline, sinkName, source, stop } = this.options;
    const sink = await this.#retrying(() => connector.open({ pipeline, sink: sinkName }));
    if (sink === undefined) return this.#result('stopped');
    try {
      for await (const assignment of source.assignments({ pipeline, signal: stop })) {
        const ended = await this.#runAssignment(sink, assignment);
        if (ended === 'stopped') return this.#result('stopped');
      }
      return this.#result(stop.aborted ? 'stopped' : 'end');
    } catch (error) {
      if (isEosError(error, 'EOS_FENCED')) this.#publish('eos:fence', () => ({ error }));
      throw error;
    } finally {
      await sink.close();
    }
  }

  async #runAssignment(sink: Sink<Row>, assignment: Assignment<In>): Promise<'end' | 'stopped' | 'revoked'> {
    const ended = await this.#retrying(async () => {
      if (assignment.revoked?.aborted) return 'revoked';
      const session = await this.#recover(sink, assignment.partitions);
      try {
        return await this.#read(session, assignment);
      } finally {
        await session.close();
      }
    });
    return ended ?? 'stopped';
  }

  async #recover(sink: Sink<Row>, partitions: readonly PartitionId[]): Promise<SinkSession<Row>> {
    const session = await this.#ledger.recover(sink, partitions);
    this.#publish('eos:claim', () => ({ owner: session.owner, positions: new Map(session.positions) }));
    this.#positions = session.positions;
    try {
      this.#settleSent(session.positions);
    } catch (error) {
      await session.close();
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
    this.#publish('eos:settle', () => ({ txId: sent.txId, outcomes }));
    if ([...outcomes.values()].every((outcome) => outcome === 'committed')) this.#count(sent);
  }

  async #read(session: SinkSession<Row>, assignment: Assignment<In>): Promise<'end' | 'stopped' | 'revoked'> {
    const { stop, transform, trigger, environment, connector } = this.options;
    const reader = await this.#openReader(assignment, session.positions);
    const cancelForce = this.#forceOnStop(session);
    try {
      return await runTransactions({
        session,
        reader,
        transform,
        trigger,
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
      throw this.#judged(error, assignment);
    } finally {
      cancelForce();
      await reader.close();
    }
  }

  async #openReader(assignment: Assignment<In>, positions: Positions): Promise<SourceReader<In>> {
    try {
      return await assignment.open(positions, this.options.stop);
    } catch (error) {
      if (isEosError(error)) throw error;
      const message = `the source could not be opened: ${messageOf(error)}`;
      throw new EosError('EOS_SOURCE_UNAVAILABLE', message, { cause: error, retryable: true });
    }
  }

  /** A destination that does not answer must not hold up a stop for ever: closing the session ends what waits for it. */
  #forceOnStop(session: SinkSession<Row>): () => void {
    const { stop, stopTimeoutMs, environment } = this.options;
    let cancel: (() => void) | undefined;
    const onStop = () => {
      cancel = environment.after(stopTimeoutMs, () => void session.close());
    };
    if (stop.aborted) onStop();
    stop.addEventListener('abort', onStop, { once: true });
    return () => {
      stop.removeEventListener('abort', onStop);
      cancel?.();
    };
  }

  #acknowledged(commit: Acknowledged): void {
    this.#sent = undefined;
    this.#attempt = 0;
    this.#ledger.advanced(commit.positions);
    this.#count(commit);
    const { txId, positions, rows, written, milliseconds } = commit;
    this.#publish('eos:commit', () => ({ txId, positions, rows, written, milliseconds }));
  }

  /** What cannot be read again cannot be retried. */
  #judged(error: unknown, assignment: Assignment<In>): unknown {
    if (
      this.options.source.replayable ||
      assignment.revoked?.aborted ||
      !isEosError(error) ||
      !error.retryable
    )
      return error;
    const { description } = this.options.source;
    return new EosError(
      error.code,
      `${error.message}; ${description} cannot be read again, so this run ends here`,
      {
        cause: error,
        outcome: error.outcome,
        details: error.details,
      },
    );
  }

  /** Undefined where a stop came first. */
  async #retrying<T>(work: () => Promise<T>): Promise<T | undefined> {
    const { retry, environment, stop } = this.options;
    for (;;) {
      if (stop.aborted) return undefined;
      try {
        return await work();
      } catch (error) {
        if (isStop(stop, error)) return undefined;
        if (!isEosError(error) || !error.retryable) throw error;
        this.#attempt++;
        if (this.#attempt >= retry.attempts) throw error;
        const delay = backoff(this.#attempt, retry, environment);
        this.#publish('eos:retry', () => ({ error, attempt: this.#attempt, delay }));
        this.#total.recoveries++;
        await environment.sleep(delay, stop);
      }
    }
  }

  #count({ rows, written }: { readonly rows: number; readonly written: number }): void {
    this.#total.rows += rows;
    this.#total.written += written;
    this.#total.commits++;
  }

  #result(reason: 'end' | 'stopped'): RunResult {
    return { reason, ...this.#total, positions: new Map(this.#positions) };
  }
}

/** After a stop, what fails because everything is being closed is no failure of the run. */
function isStop(stop: AbortSignal, error: unknown): boolean {
  return (
    stop.aborted &&
    isEosError(error) &&
    (error.retryable || error.code === 'EOS_CLOSED' || error.code === 'EOS_ABORTED')
  );
}
