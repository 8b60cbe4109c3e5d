/** The program under test: one pipeline for each table, until it is stopped, killed or fenced. */
import { subscribe } from 'node:diagnostics_channel';
import { setTimeout as delay } from 'node:timers/promises';
import { isEosError, iterableSource, messageOf, pipeline, type Entry } from '@eos/core';
import { s3Sink } from '@eos/s3';
import type { SoakRow } from '../changes.js';
import { FENCED_EXIT, TASK_VARIABLE, type News } from '../task.js';
import { changeOf, pipelineOf, SINK, tableOptions, TABLES, type S3Task, type Table } from './task.js';

const NEWS_MS = 500;
const MOST_ROWS = 500n;
const EMPTY_MS = 20;

// Set by this tool itself.
const task = JSON.parse(process.env[TASK_VARIABLE] ?? '{}') as S3Task;
const counts = { commits: 0, settled: 0, retries: 0 };

subscribe('eos:commit', () => void (counts.commits += 1));
subscribe('eos:settle', () => void (counts.settled += 1));
subscribe('eos:retry', () => void (counts.retries += 1));
const timer = setInterval(() => {
  process.send?.({ rssBytes: process.memoryUsage.rss(), ...counts } satisfies News);
}, NEWS_MS);

const ends = await Promise.all(TABLES.map(run));
clearInterval(timer);
if (ends.includes('fenced')) process.exitCode = FENCED_EXIT;
process.disconnect();

async function run(table: Table): Promise<'stopped' | 'fenced'> {
  const { writer, bucket, client } = task;
  const id = pipelineOf(writer, table);
  try {
    await pipeline({
      id,
      source: iterableSource<SoakRow>({
        replayable: true,
        changelog: table.mode,
        identity: { kind: 'soak', writer },
        open: (from) => entries(table, from ?? 0n),
      }),
      // Files of a hundred rows: a commit has several.
      sinks: { [SINK]: s3Sink<SoakRow>({ bucket, client, ...tableOptions(table), roll: { rows: 100 } }) },
      trigger: { rows: 400, intervalMs: 200 },
      retry: { attempts: Infinity, initialMs: 20, maxMs: 1_000 },
    }).run();
    return 'stopped';
  } catch (error) {
    if (isEosError(error, 'EOS_FENCED')) return 'fenced';
    console.error(`${id}: ${messageOf(error)}`, error);
    process.exit(1);
  }
}

async function* entries({ mode }: Table, from: bigint): AsyncGenerator<Entry<SoakRow>[]> {
  for (let next = from; ;) {
    const readable = BigInt(Math.floor(((Date.now() - task.startedAt) / 1000) * task.rate));
    if (readable <= next) {
      await delay(EMPTY_MS);
      continue;
    }
    const count = readable - next < MOST_ROWS ? readable - next : MOST_ROWS;
    const first = next;
    next += count;
    yield Array.from({ length: Number(count) }, (_, index) => {
      const offset = first + BigInt(index);
      return { offset, ...changeOf(task.writer, mode, offset) };
    });
  }
}
