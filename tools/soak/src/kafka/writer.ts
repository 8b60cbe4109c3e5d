/** The program under test: three pipelines over the same topic, each in a group of its own, until it is stopped or killed. */
import { subscribe } from 'node:diagnostics_channel';
import { messageOf, pipeline, type RunResult, type SourceBatch } from '@eos/core';
import type { JoinedGroup } from '@eos/kafka';
import type { ChangedRow } from './changes.js';
import { copySink, logSink, RETRY, sourceOf, tableSink, triggerOf, type LogRow } from './pipelines.js';
import { TASK_VARIABLE, type KafkaNews, type KafkaTask } from './task.js';

const NEWS_MS = 500;

// Set by the proof itself.
const task = JSON.parse(process.env[TASK_VARIABLE] ?? '{}') as KafkaTask;
const counts = { rows: 0, commits: 0, fences: 0, retries: 0 };
let generations: string[] = [];

subscribe('eos:commit', (message) => {
  counts.commits += 1;
  // The channel carries what PipelineEvents declares.
  counts.rows += (message as { rows: number }).rows;
});
subscribe('eos:fence', () => void (counts.fences += 1));
subscribe('eos:retry', () => void (counts.retries += 1));
subscribe('eos:kafka:join', (message) => {
  const { groupId, generation } = message as JoinedGroup;
  generations.push(`${groupId} ${generation}`);
});
const timer = setInterval(() => {
  process.send?.({ ...counts, generations } satisfies KafkaNews);
  generations = [];
}, NEWS_MS);

const common = { retry: RETRY, trigger: triggerOf(task) };

/** Rows of a delete have no version. */
function logged({ rows, offsets, partition }: SourceBatch<ChangedRow>): LogRow[] {
  return rows.map(({ id, version }, index) => ({ partition, record: offsets[index] ?? -1n, id, version }));
}

const runs: (() => Promise<RunResult>)[] = [
  () => pipeline({ id: 'copy', source: sourceOf(task), sinks: { proof: copySink(task) }, ...common }).run(),
  () => pipeline({ id: 'table', source: sourceOf(task), sinks: { proof: tableSink(task) }, ...common }).run(),
  () =>
    pipeline<ChangedRow, LogRow>({
      id: 'log',
      source: sourceOf(task),
      transform: logged,
      changelog: 'append',
      sinks: { proof: logSink(task) },
      ...common,
    }).run(),
];

try {
  await Promise.all(runs.map((run) => run()));
} catch (error) {
  console.error(messageOf(error), error);
  process.exitCode = 1;
}
clearInterval(timer);
process.disconnect();
