/** A writer in a process of its own: to be killed, or to have its memory watched. */
import { subscribe } from 'node:diagnostics_channel';
import { pipeline, type PipelineEvents } from '@eos/core';
import { copyInTurn } from '../baselines/copy.js';
import { generatedSource, repeatedRows } from '../generated-source.js';
import { benchSink } from '../ours.js';
import type { ChildMessage, ChildTask, MemorySample } from './protocol.js';

const SAMPLE_MS = 100;

// The parent is part of this package: what it sends is a task.
const task = JSON.parse(process.argv[2] ?? '{}') as ChildTask;
const samples: MemorySample[] = [];
let committedRows = 0;

function send(message: ChildMessage): void {
  process.send?.(message);
}

function onCommit(rows: number): void {
  committedRows += rows;
  send({ type: 'commit' });
}

async function runOurs(): Promise<void> {
  // The channel's messages are those that core declares for it.
  subscribe('eos:commit', (message) => onCommit((message as PipelineEvents['eos:commit']).rows));
  await pipeline({
    id: task.pipeline,
    source: generatedSource(task.rows),
    sinks: { bench: benchSink(task) },
    trigger: { rows: task.rowsPerCommit },
  }).run();
}

async function runCopy(): Promise<void> {
  const { url, table, rowsPerCommit } = task;
  await copyInTurn({
    url,
    table,
    rows: repeatedRows(task.rows),
    rowsPerCommit,
    onCommit: () => onCommit(rowsPerCommit),
  });
}

send({ type: 'loaded', milliseconds: performance.now() });
const sampler = setInterval(() => {
  if (task.sampleMemory) samples.push({ rows: committedRows, bytes: process.memoryUsage.rss() });
}, SAMPLE_MS);
await (task.writer === 'pipeline' ? runOurs() : runCopy());
clearInterval(sampler);
send({ type: 'done', samples, peakBytes: process.resourceUsage().maxRSS * 1024 });
process.disconnect();
