/** What is measured: Eos as a program uses it, and its Postgres sink alone. */
import {
  iterableSource,
  pipeline,
  type OpName,
  type Position,
  type SinkSession,
  type SinkTransaction,
} from '@eos/core';
import { postgresSink } from '@eos/postgres';
import { schema, type BenchRow } from './rows.js';

export interface OursOptions {
  readonly url: string;
  readonly table: string;
  /** Names the positions, so that no run goes on where another ended. */
  readonly pipeline: string;
  readonly rows: readonly BenchRow[];
  readonly mode: 'append' | 'upsert' | 'retract';
  readonly rowsPerCommit: number;
  /** What becomes of bad rows. Default `fail`. */
  readonly badRows?: 'fail' | 'dead-letter';
}

/** The sink of a table that exists already, as the baselines' does. */
export function benchSink({
  url,
  table,
  mode,
  badRows,
}: Pick<OursOptions, 'url' | 'table' | 'mode' | 'badRows'>) {
  return postgresSink({
    connection: url,
    table,
    schema,
    create: false,
    ...(badRows === undefined ? {} : { badRows }),
    ...(mode === 'upsert' ? { mode, key: ['id'] } : { mode }),
  });
}

export interface PipelineOptions extends OursOptions {
  /** One a row; absent: all are `+I`. */
  readonly ops?: readonly OpName[];
}

/** Through `pipeline()`: source, runner and sink. Resolves when the last transaction is committed. */
export async function runPipeline(options: PipelineOptions): Promise<void> {
  const { rows, ops, mode, rowsPerCommit } = options;
  const result = await pipeline({
    id: options.pipeline,
    source: iterableSource({ items: rows, ...(ops === undefined ? {} : { ops, changelog: mode }) }),
    sinks: { bench: benchSink(options) },
    // Rows alone decide when to commit.
    trigger: { rows: rowsPerCommit, bytes: Number.MAX_SAFE_INTEGER, intervalMs: 3_600_000 },
  }).run({ signals: [] });
  if (result.rows !== rows.length || result.recoveries > 0) {
    throw new Error(
      `the run wrote ${result.rows} of ${rows.length} rows and recovered ${result.recoveries} times`,
    );
  }
}

const SOURCE = { kind: 'benchmark' };

/**
 * Through the port, without a runner, with the overlap that the port allows: the next transaction is begun and written while the
 * last one prepares and commits.
 */
export async function driveSink(
  options: OursOptions,
  onCommit?: (milliseconds: number) => void,
): Promise<void> {
  const { rows, rowsPerCommit } = options;
  const sink = await benchSink(options).open({ pipeline: options.pipeline, sink: 'bench' });
  try {
    const session = await sink.recover(['0']);
    let settling = Promise.resolve();
    for (let start = 0; start < rows.length; start += rowsPerCommit) {
      const end = Math.min(start + rowsPerCommit, rows.length);
      const transaction = await session.begin();
      await transaction.write({
        partition: '0',
        rows: rows.slice(start, end),
      });
      await settling;
      settling = transaction.prepare().then(() => commit(session, transaction, end, onCommit));
      // It is awaited a turn later; until then a failure must not count as unhandled.
      settling.catch(() => undefined);
    }
    await settling;
    await session.close();
  } finally {
    await sink.close();
  }
}

/** Through the port, one transaction after the other without overlap: what a commit takes by itself. */
export async function commitAlone(
  options: OursOptions,
  onCommit?: (milliseconds: number) => void,
): Promise<void> {
  const { rows, rowsPerCommit } = options;
  const sink = await benchSink(options).open({ pipeline: options.pipeline, sink: 'bench' });
  try {
    const session = await sink.recover(['0']);
    for (let start = 0; start < rows.length; start += rowsPerCommit) {
      const end = Math.min(start + rowsPerCommit, rows.length);
      const transaction = await session.begin();
      await transaction.write({ partition: '0', rows: rows.slice(start, end) });
      await transaction.prepare();
      await commit(session, transaction, end, onCommit);
    }
    await session.close();
  } finally {
    await sink.close();
  }
}

/** Moves partition 0 to `offset`. */
export async function commit(
  session: SinkSession<BenchRow>,
  transaction: SinkTransaction<BenchRow>,
  offset: number,
  onCommit?: (milliseconds: number) => void,
): Promise<void> {
  const from = new Map<string, Position>(session.positions);
  const to = new Map([['0', { offset: BigInt(offset), source: SOURCE }]]);
  const start = performance.now();
  await transaction.commit({ from, to });
  onCommit?.(performance.now() - start);
}
