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
import { systemEnvironment, type Environment } from './runner/environment.js';
import type { Transform, Transformed } from './runner/feed.js';
import { runPipeline, type RunResult } from './runner/run.js';
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
   * Reads until the source ends or a stop is asked for. May be called again: it goes on where the destination is.
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
  const [sinkName, connector] = onlySink(sinks);
  checkName('sink name', sinkName);
  const trigger = checkedNumbers('trigger', { ...DEFAULT_TRIGGER, ...options.trigger });
  const retry = checkedNumbers('retry', { ...DEFAULT_RETRY, ...options.retry });
  checkedNumbers('pipeline', { stopTimeoutMs });
  if (!GUARANTEES.includes(guarantee)) {
    throw new EosError(
      'EOS_CONFIG',
      `guarantee ${JSON.stringify(guarantee)} must be one of ${GUARANTEES.join(', ')}`,
    );
  }
  negotiateChangelog(options.changelog ?? source.changelog, connector.capabilities, sinkName);
  const explanation = explainGuarantee(source, sinks);
  checkGuarantee(guarantee, explanation);
  const transform = options.transform ?? passThrough<In, Row>();
  const common = {
    pipeline: id,
    sinkName,
    source,
    transform,
    connector,
    trigger,
    retry,
    stopTimeoutMs,
    environment,
  };
  return {
    explain: () => explanation,
    run: ({ signal, signals = STOP_SIGNALS } = {}) =>
      withStop(signal, signals, (stop) => runPipeline({ ...common, stop })),
  };
}

function onlySink<Row>(sinks: Readonly<Record<string, SinkConnector<Row>>>): [string, SinkConnector<Row>] {
  const entries = Object.entries(sinks);
  const [first] = entries;
  if (first !== undefined && entries.length === 1) return first;
  throw new EosError(
    'EOS_CONFIG',
    `a pipeline takes one sink, not ${entries.length}: run one pipeline for each`,
    {
      details: { option: 'sinks' },
    },
  );
}

function checkedNumbers<T extends object>(group: string, values: T): T {
  for (const [name, value] of Object.entries(values) as [string, unknown][]) {
    if (typeof value === 'number' && value >= (name === 'intervalMs' || name.endsWith('Ms') ? 0 : 1))
      continue;
    throw new EosError('EOS_CONFIG', `${group}.${name} must be a positive number, not ${String(value)}`, {
      details: { option: `${group}.${name}` },
    });
  }
  return values;
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
  if (signal?.aborted) stop();
  signal?.addEventListener('abort', stop, { once: true });
  for (const name of signals) process.once(name, stop);
  try {
    return await work(controller.signal);
  } finally {
    signal?.removeEventListener('abort', stop);
    for (const name of signals) process.removeListener(name, stop);
  }
}
