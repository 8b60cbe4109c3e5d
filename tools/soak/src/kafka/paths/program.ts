/** A program as users write it: it reads a topic to its end, in a group, and is then to end by itself, without `process.exit`. */
import { subscribe } from 'node:diagnostics_channel';
import { pipeline } from '@eos/core';
import { contextOf, PATH_VARIABLE, pathSink, pathSource, type PathNews, type PathTask } from './path.js';

// Set by the test itself.
const task = JSON.parse(process.env[PATH_VARIABLE] ?? '{}') as PathTask;
const tell = (news: PathNews) => void process.send?.(news);

subscribe('eos:commit', () => tell('commit'));
const { pipeline: id, sink } = contextOf(task);
await pipeline({
  id,
  source: pathSource(task),
  sinks: { [sink]: pathSink(task) },
  trigger: { rows: 50, intervalMs: 60_000 },
}).run();
tell('done');
