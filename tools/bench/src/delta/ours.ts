/** What is measured: Eos as a program uses it, on a Delta table in a local folder. */
import { iterableSource, pipeline, type SinkConnector } from '@eos/core';
import { deltaSink } from '@eos/delta';
import { generatedSource } from '../generated-source.js';
import { schema, type BenchRow } from '../rows.js';

export const PIPELINE = 'bench';
export const SINK = 'bench';
/** As a source hands them out. */
const BATCH_ROWS = 5_000;

export function deltaBenchSink(folder: string): SinkConnector<BenchRow> {
  return deltaSink({ folder, schema });
}

/** A table of so many rows, their keys from 1 on, in files of so many. */
export async function fillDeltaTable(
  folder: string,
  rows: number,
  rowsPerFile: number,
  properties: Readonly<Record<string, string>>,
): Promise<void> {
  await pipeline({
    id: PIPELINE,
    // No text comes twice in a file.
    source: generatedSource(rows, rowsPerFile),
    sinks: { [SINK]: deltaSink({ folder, schema, properties }) },
    trigger: { rows: rowsPerFile, bytes: Number.MAX_SAFE_INTEGER, intervalMs: 3_600_000 },
  }).run({ signals: [] });
}

/** One transaction of these rows, by a program that has just opened the table; the milliseconds of the transaction. */
export async function upsertAlone(folder: string, rows: readonly BenchRow[]): Promise<number> {
  const connector = deltaSink({ folder, schema, mode: 'upsert', key: ['id'] });
  const sink = await connector.open({ pipeline: PIPELINE, sink: 'upserts' });
  try {
    const session = await sink.recover(['0']);
    const begun = performance.now();
    const transaction = await session.begin();
    for (let start = 0; start < rows.length; start += BATCH_ROWS)
      await transaction.write({ partition: '0', rows: rows.slice(start, start + BATCH_ROWS) });
    await transaction.prepare();
    const to = new Map([['0', { offset: BigInt(rows.length), source: { kind: 'benchmark' } }]]);
    await transaction.commit({ from: session.positions, to });
    return performance.now() - begun;
  } finally {
    await sink.close();
  }
}

/** Through `pipeline()`: source, runner and sink. Resolves when the last transaction is committed. */
export async function runDeltaPipeline(
  folder: string,
  rows: readonly BenchRow[],
  rowsPerCommit: number,
): Promise<void> {
  const result = await pipeline({
    id: PIPELINE,
    source: iterableSource({ items: rows }),
    sinks: { [SINK]: deltaBenchSink(folder) },
    // Rows alone decide when to commit.
    trigger: { rows: rowsPerCommit, bytes: Number.MAX_SAFE_INTEGER, intervalMs: 3_600_000 },
  }).run({ signals: [] });
  if (result.rows !== rows.length || result.recoveries > 0)
    throw new Error(
      `the run wrote ${result.rows} of ${rows.length} rows, with ${result.recoveries} recoveries`,
    );
}

/** Commits of so many rows, one after the other without overlap; the milliseconds of each. */
export async function commitDeltaAlone(
  folder: string,
  rows: readonly BenchRow[],
  rowsPerCommit: number,
): Promise<number[]> {
  const sink = await deltaBenchSink(folder).open({ pipeline: PIPELINE, sink: SINK });
  const taken: number[] = [];
  try {
    const session = await sink.recover(['0']);
    for (let start = 0; start < rows.length; start += rowsPerCommit) {
      const end = Math.min(start + rowsPerCommit, rows.length);
      const from = new Map(session.positions);
      const begun = performance.now();
      const transaction = await session.begin();
      await transaction.write({ partition: '0', rows: rows.slice(start, end) });
      await transaction.prepare();
      const to = new Map([['0', { offset: BigInt(end), source: { kind: 'benchmark' } }]]);
      await transaction.commit({ from, to });
      taken.push(performance.now() - begun);
    }
  } finally {
    await sink.close();
  }
  return taken;
}
