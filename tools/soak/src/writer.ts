/** The program under test: one pipeline for each mode, until it is stopped, killed or fenced. */
import { iterableSource, pipeline } from '@eos/core';
import { postgresSink } from '@eos/postgres';
import { changeAt, schema, type SoakRow } from './changes.js';
import { MODES, nameOf, type Mode, type Task } from './task.js';
import { pacedEntries, runPipelines, writerTask } from './writer-process.js';

// Set by this tool itself.
const task = writerTask() as Task;

await runPipelines(new Map(MODES.map((mode) => [nameOf(task.group, mode), () => run(mode)])));

async function run(mode: Mode): Promise<void> {
  const name = nameOf(task.group, mode);
  const upsert = mode === 'upsert' ? { mode, key: ['id'] } : { mode };
  await pipeline({
    id: name,
    source: iterableSource<SoakRow>({
      replayable: true,
      changelog: mode,
      identity: { kind: 'soak', mode },
      open: (from) => pacedEntries(task, from ?? 0n, (offset) => changeAt(mode, offset)),
    }),
    sinks: { soak: postgresSink({ connection: task.url, table: name, schema, ...upsert }) },
    trigger: { rows: 400, intervalMs: 200 },
    retry: { attempts: Infinity, initialMs: 20, maxMs: 1_000 },
  }).run();
}
