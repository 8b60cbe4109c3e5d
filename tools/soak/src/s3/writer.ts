/** The program under test: one pipeline for each table, until it is stopped, killed or fenced. */
import { iterableSource, pipeline } from '@eos/core';
import { s3Sink } from '@eos/s3';
import type { SoakRow } from '../changes.js';
import { pacedEntries, runPipelines, writerTask } from '../writer-process.js';
import { changeOf, pipelineOf, SINK, tableOptions, TABLES, type S3Task, type Table } from './task.js';

// Set by this tool itself.
const task = writerTask() as S3Task;

await runPipelines(new Map(TABLES.map((table) => [pipelineOf(task.writer, table), () => run(table)])));

async function run(table: Table): Promise<void> {
  const { writer, bucket, client } = task;
  await pipeline({
    id: pipelineOf(writer, table),
    source: iterableSource<SoakRow>({
      replayable: true,
      changelog: table.mode,
      identity: { kind: 'soak', writer },
      open: (from) => pacedEntries(task, from ?? 0n, (offset) => changeOf(writer, table.mode, offset)),
    }),
    // Files of a hundred rows: a commit has several.
    sinks: { [SINK]: s3Sink<SoakRow>({ bucket, client, ...tableOptions(table), roll: { rows: 100 } }) },
    trigger: { rows: 400, intervalMs: 200 },
    retry: { attempts: Infinity, initialMs: 20, maxMs: 1_000 },
  }).run();
}
