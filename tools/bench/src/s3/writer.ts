/** A writer to a table in a bucket, in a process of its own: to be killed, or to have its memory watched. */
import { subscribe } from 'node:diagnostics_channel';
import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { pipeline, type PipelineEvents } from '@eos/core';
import type { ChildMessage, MemorySample } from '../children/protocol.js';
import { generatedSource, wideSource } from '../generated-source.js';
import { CONTEXT, s3BenchSink, type BenchSinkOptions } from './ours.js';

export interface S3Task {
  readonly bucket: string;
  readonly client: S3ClientConfig;
  readonly prefix: string;
  readonly rows: number;
  readonly rowsPerCommit: number;
  /** With it, rows are this wide, and no two are alike. */
  readonly noteBytes?: number;
  readonly sink?: Pick<BenchSinkOptions, 'format' | 'roll'>;
}

const SAMPLE_MS = 100;

// The parent is part of this package: what it sends is a task.
const { rows, rowsPerCommit, noteBytes, sink = {}, ...place } = JSON.parse(process.argv[2] ?? '{}') as S3Task;
const samples: MemorySample[] = [];
let committedRows = 0;

function send(message: ChildMessage): void {
  process.send?.(message);
}

send({ type: 'loaded', milliseconds: performance.now() });
const sampler = setInterval(() => {
  samples.push({ rows: committedRows, bytes: process.memoryUsage.rss() });
}, SAMPLE_MS);
subscribe('eos:commit', (message) => {
  // The channel's messages are those that core declares for it.
  committedRows += (message as PipelineEvents['eos:commit']).rows;
  send({ type: 'commit' });
});
await pipeline({
  id: CONTEXT.pipeline,
  source: noteBytes === undefined ? generatedSource(rows) : wideSource(rows, noteBytes),
  sinks: { [CONTEXT.sink]: s3BenchSink({ ...place, ...sink }) },
  trigger: { rows: rowsPerCommit, bytes: Number.MAX_SAFE_INTEGER, intervalMs: 3_600_000 },
}).run();
clearInterval(sampler);
send({ type: 'done', samples, peakBytes: process.resourceUsage().maxRSS * 1024 });
process.disconnect();
