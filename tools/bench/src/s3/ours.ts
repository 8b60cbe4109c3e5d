/** What is measured: Eos as a program uses it, on a table in a bucket. */
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import type { Sink, SinkConnector, SinkSession } from '@eos/core';
import { s3Sink, type S3SinkOptions } from '@eos/s3';
import { schema, type BenchRow } from '../rows.js';

export const CONTEXT = { pipeline: 'bench', sink: 'bench' };

export type BenchSinkOptions = Omit<S3SinkOptions, 'schema' | 'client'> & {
  readonly client?: S3Client | S3ClientConfig;
};

export function s3BenchSink(options: BenchSinkOptions): SinkConnector<BenchRow> {
  return s3Sink({ ...options, schema });
}

/** Runs `work` with a sink and a session on its partition. */
export async function withSession<Result>(
  connector: SinkConnector<BenchRow>,
  work: (session: SinkSession<BenchRow>, sink: Sink<BenchRow>) => Promise<Result>,
): Promise<Result> {
  const sink = await connector.open(CONTEXT);
  try {
    return await work(await sink.recover(['0']), sink);
  } finally {
    await sink.close();
  }
}

/** Commits rows in batches of a thousand, as a source would hand them out. */
export async function commitRows(session: SinkSession<BenchRow>, rows: readonly BenchRow[]): Promise<void> {
  const from = new Map(session.positions);
  const offset = (from.get('0')?.offset ?? 0n) + BigInt(rows.length);
  const transaction = await session.begin();
  for (let start = 0; start < rows.length; start += BATCH)
    await transaction.write({ partition: '0', rows: rows.slice(start, start + BATCH) });
  await transaction.prepare();
  await transaction.commit({ from, to: new Map([['0', { offset, source: { kind: 'benchmark' } }]]) });
}

const BATCH = 1_000;
