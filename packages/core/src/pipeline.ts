import { negotiateChangelog, type ChangelogMode } from './changelog.js';
import { EosError } from './errors.js';
import {
  checkGuarantee,
  explainGuarantee,
  GUARANTEES,
  type Explanation,
  type Guarantee,
} from './guarantee.js';
import { checkName } from './identifiers.js';
import { DEFAULT_RETRY, type RetryOptions } from './runner/backoff.js';
import { ClaimLedger } from './runner/claim-ledger.js';
import { systemEnvironment, type Environment } from './runner/environment.js';
import { publisher } from './runner/events.js';
import type { Transform, Transformed } from './runner/feed.js';
import { runPipeline, type RunResult } from './runner/run.js';
import { onStopSignals } from './runner/stop-signals.js';
import { DEFAULT_TRIGGER, type Trigger } from './runner/trigger.js';
import type { SinkConnector } from './sink.js';
import type { Source, SourceBatch } from './source.js';

export interface PipelineOptions<In, Row = In> {
  /** Names the positions at the destination, together with the sink's name: 1 to 128 of `A-Z a-z 0-9 . _ -`. Never reuse it for other work. */
  readonly id: string;
  readonly source: Source<In>;
  /** Maps each batch; must give the same rows however the batches are cut. Default: rows go through as they are. */
  readonly transform?: (batch: SourceBatch<In>) => Transformed<Row> | Promise<Transformed<Row>>;
  /** What the transform produces. Default: what the source does. */
  readonly changelog?: ChangelogMode;
  /** The sink, by its name. */
  readonly sinks: Readonly<Record<string, SinkConnector<Row>>>;
  readonly trigger?: Partial<Trigger>;
  readonly retry?: Partial<RetryOptions>;
  /** The least that the pipeline must promise. Default `exactly-once`. */
  readonly guarantee?: Guarantee;
  /** How long a stop may wait for the destination, in milliseconds. Default 10,000. */
  readonly stopTimeoutMs?: number;
}

export interface PipelineRunOptions {
  /** Aborted: what was written is committed, and the run ends with reason `stopped`. */
  readonly signal?: AbortSignal;
  /** Signals of the process that stop the run likewise. Default SIGINT and SIGTERM; [] leaves them alone. */
  readonly signals?: readonly NodeJS.Signals[];
}

export interface Pipeline {
  /** What this pipeline promises, and why. */
  explain(): Explanation;
  /**
   * Reads until the source ends or a stop is asked for. May be called again, after it has ended: it goes on where the destination is.
   * A pipeline that was fenced stays fenced; only a new process (or a new pipeline object) takes over again.
   * @throws EOS_FENCED where another copy took over; EOS_SOURCE_CHANGED, EOS_TARGET_CHANGED, EOS_ROW … where going on would be wrong
   */
  run(options?: PipelineRunOptions): Promise<RunResult>;
}

const STOP_SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM'];

/**
 * Makes a pipeline and checks what can be checked before anything is opened.
 * @throws EOS_CONFIG, EOS_CHANGELOG_MODE, EOS_GUARANTEE
 * @example
 * const flights = pipeline({
 *   id: 'flights',
 *   source: ndjsonSource({ path: 'flights.ndjson' }),
 *   sinks: { warehouse: postgresSink({ connection, table: 'flights', schema }) },
 * });
 * await flights.run();
 */
export function pipeline<In, Row>(
  options: PipelineOptions<In, Row> & Required<Pick<PipelineOptions<In, Row>, 'transform'>>,
): Pipeline;
export function pipeline<Row>(options: PipelineOptions<Row>): Pipeline;
export function pipeline<In, Row>(options: PipelineOptions<In, Row>): Pipeline {
  return pipelineIn(systemEnvironment, options);
}

/** {@link pipeline} in another environment: for the simulation. */
export function pipelineIn<In, Row = In>(
  environment: Environment,
  options: PipelineOptions<In, Row>,
): Pipeline {
  const { id, source, sinks, guarantee = 'exactly-once', stopTimeoutMs = 10_000 } = options;
  checkName('pipeline id', id);
  checkIsObject('source', source);
  checkIsObject('sinks', sinks);
  const [sinkName, connector] = onlySink(sinks);
  checkName('sink name', sinkName);
  const trigger = checkTrigger({ ...DEFAULT_TRIGGER, ...options.trigger });
  const retry = checkRetry({ ...DEFAULT_RETRY, ...options.retry });
  checkNumber('stopTimeoutMs', stopTimeoutMs, 0);
  if (!GUARANTEES.includes(guarantee))
    fail('guarantee', `must be one of ${GUARANTEES.join(', ')}`, guarantee);
  const changelog = options.changelog ?? source.changelog;
  negotiateChangelog(changelog, connector.capabilities, sinkName);
  const explanation = explainGuarantee(source, sinks);
  checkGuarantee(guarantee, explanation);
  const publish = publisher(id, sinkName);
  // Kept from run to run: a copy that was fenced must not take the claim back by running again.
  const ledger = new ClaimLedger(publish);
  const transform = options.transform ?? passThrough<In, Row>();
  const run = {
    pipeline: id,
    sinkName,
    source,
    transform,
    changelog,
    connector,
    trigger,
    retry,
    stopTimeoutMs,
  };
  let isRunning = false;
  return {
    explain: () => explanation,
    run: async ({ signal, signals = STOP_SIGNALS } = {}) => {
      if (isRunning) throw new EosError('EOS_STATE', `pipeline ${id} is running already`);
      isRunning = true;
      try {
        return await withStop(signal, signals, (stop) =>
          runPipeline({ ...run, environment, publish, ledger, stop }),
        );
      } finally {
        isRunning = false;
      }
    },
  };
}

function checkIsObject(option: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) fail(option, 'is missing', value);
}

function onlySink<Row>(sinks: Readonly<Record<string, SinkConnector<Row>>>): [string, SinkConnector<Row>] {
  const entries = Object.entries(sinks);
  const [first] = entries;
  if (first !== undefined && entries.length === 1) return first;
  return fail('sinks', 'must hold one sink: run one pipeline for each', Object.keys(sinks).join(', '));
}

function checkTrigger(trigger: Trigger): Trigger {
  checkNumber('trigger.rows', trigger.rows, 1);
  checkNumber('trigger.bytes', trigger.bytes, 1);
  checkNumber('trigger.intervalMs', trigger.intervalMs, 0);
  return trigger;
}

function checkRetry(retry: RetryOptions): RetryOptions {
  checkNumber('retry.attempts', retry.attempts, 1);
  checkNumber('retry.initialMs', retry.initialMs, 0);
  checkNumber('retry.maxMs', retry.maxMs, 0);
  return retry;
}

function checkNumber(option: string, value: unknown, least: number): void {
  if (typeof value === 'number' && value >= least && (Number.isInteger(value) || value === Infinity)) return;
  fail(option, `must be a whole number from ${least}, or Infinity`, value);
}

function fail(option: string, problem: string, value: unknown): never {
  throw new EosError('EOS_CONFIG', `${option} ${problem} (it is ${String(value)})`, { details: { option } });
}

/** Without a transform the rows of the source are the rows of the sink: In = Row, which the caller's types have checked. */
function passThrough<In, Row>(): Transform<In, Row> {
  return (batch) => batch as unknown as SourceBatch<Row>;
}

/** Runs `work` with a signal that is aborted by `signal` or by one of the process's `signals`. */
async function withStop<T>(
  signal: AbortSignal | undefined,
  signals: readonly NodeJS.Signals[],
  work: (stop: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const stop = () => controller.abort();
  const cancelSignals = onStopSignals(signals, stop);
  if (signal?.aborted) stop();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    return await work(controller.signal);
  } finally {
    signal?.removeEventListener('abort', stop);
    cancelSignals();
  }
}
