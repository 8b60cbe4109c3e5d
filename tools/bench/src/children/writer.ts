/** A writer in a process of its own: to be killed, or to have its memory watched. */
import { pipeline } from '@eos/core';
import { copyInTurn } from '../baselines/copy.js';
import { generatedSource, repeatedRows } from '../generated-source.js';
import { benchSink } from '../ours.js';
import type { ChildTask } from './protocol.js';
import { reportedRun, taskOf } from './reported-run.js';

const task = taskOf() as ChildTask;

async function runOurs(): Promise<void> {
  await pipeline({
    id: task.pipeline,
    source: generatedSource(task.rows),
    sinks: { bench: benchSink(task) },
    trigger: { rows: task.rowsPerCommit },
  }).run();
}

async function runCopy(onCommit: (rows: number) => void): Promise<void> {
  const { url, table, rowsPerCommit } = task;
  await copyInTurn({
    url,
    table,
    rows: repeatedRows(task.rows),
    rowsPerCommit,
    onCommit: () => onCommit(rowsPerCommit),
  });
}

await reportedRun(task.writer === 'pipeline' ? runOurs : runCopy);
