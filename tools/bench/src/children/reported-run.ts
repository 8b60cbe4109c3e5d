/** The child's side of a measured process. */
import { subscribe } from 'node:diagnostics_channel';
import type { PipelineEvents } from '@eos/core';
import type { ChildMessage, MemorySample } from './protocol.js';

const SAMPLE_MS = 100;

/**
 * Runs `work` and tells the parent when the program is loaded, each commit, and at the end how much memory it took.
 * @param work may tell of commits that no pipeline makes
 */
export async function reportedRun(
  work: (onCommit: (rows: number) => void) => Promise<unknown>,
): Promise<void> {
  const samples: MemorySample[] = [];
  let committedRows = 0;
  const onCommit = (rows: number): void => {
    committedRows += rows;
    send({ type: 'commit' });
  };
  // The channel's messages are those that core declares for it.
  subscribe('eos:commit', (message) => onCommit((message as PipelineEvents['eos:commit']).rows));
  send({ type: 'loaded', milliseconds: performance.now() });
  const sampler = setInterval(() => {
    samples.push({ rows: committedRows, bytes: process.memoryUsage.rss() });
  }, SAMPLE_MS);
  await work(onCommit);
  clearInterval(sampler);
  send({ type: 'done', samples, peakBytes: process.resourceUsage().maxRSS * 1024 });
  process.disconnect();
}

/** What the parent sends. It is part of this package: who is started as its child knows what it gets. */
export function taskOf(): unknown {
  return JSON.parse(process.argv[2] ?? '{}');
}

function send(message: ChildMessage): void {
  process.send?.(message);
}
