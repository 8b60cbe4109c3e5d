/** A writer to a Delta table in a process of its own: to be killed, or to have its memory watched. */
import { subscribe } from 'node:diagnostics_channel';
import { pipeline, type PipelineEvents } from '@eos/core';
import type { ChildMessage, MemorySample } from '../children/protocol.js';
import { generatedSource } from '../generated-source.js';
import { deltaBenchSink, PIPELINE, SINK } from './ours.js';

export interface DeltaTask {
  readonly folder: string;
  readonly rows: number;
  readonly rowsPerCommit: number;
}

const SAMPLE_MS = 100;

// The parent is part of this package: what it sends is a task.
const task = JSON.parse(process.argv[2] ?? '{}') as DeltaTask;
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
  id: PIPELINE,
  source: generatedSource(task.rows),
  sinks: { [SINK]: deltaBenchSink(task.folder) },
  trigger: { rows: task.rowsPerCommit, bytes: Number.MAX_SAFE_INTEGER, intervalMs: 3_600_000 },
}).run();
clearInterval(sampler);
send({ type: 'done', samples, peakBytes: process.resourceUsage().maxRSS * 1024 });
process.disconnect();
