/** A writer to a table in a bucket, in a process of its own: to be killed, or to have its memory watched. */
import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { pipeline } from '@eos/core';
import { reportedRun, taskOf } from '../children/reported-run.js';
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

const { rows, rowsPerCommit, noteBytes, sink = {}, ...place } = taskOf() as S3Task;

await reportedRun(() =>
  pipeline({
    id: CONTEXT.pipeline,
    source: noteBytes === undefined ? generatedSource(rows) : wideSource(rows, noteBytes),
    sinks: { [CONTEXT.sink]: s3BenchSink({ ...place, ...sink }) },
    trigger: { rows: rowsPerCommit, bytes: Number.MAX_SAFE_INTEGER, intervalMs: 3_600_000 },
  }).run(),
);
