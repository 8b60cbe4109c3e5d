/** A writer to a Delta table in a process of its own: to be killed, or to have its memory watched. */
import { pipeline } from '@eos/core';
import { reportedRun, taskOf } from '../children/reported-run.js';
import { generatedSource } from '../generated-source.js';
import { deltaBenchSink, PIPELINE, SINK } from './ours.js';

export interface DeltaTask {
  readonly folder: string;
  readonly rows: number;
  readonly rowsPerCommit: number;
}

const { folder, rows, rowsPerCommit } = taskOf() as DeltaTask;

await reportedRun(() =>
  pipeline({
    id: PIPELINE,
    source: generatedSource(rows),
    sinks: { [SINK]: deltaBenchSink(folder) },
    trigger: { rows: rowsPerCommit, bytes: Number.MAX_SAFE_INTEGER, intervalMs: 3_600_000 },
  }).run(),
);
