/** The program under test: one pipeline for each mode, until it is stopped, killed or fenced. */
import { subscribe } from 'node:diagnostics_channel';
import { setTimeout as delay } from 'node:timers/promises';
import { isEosError, iterableSource, messageOf, pipeline, type Entry } from '@eos/core';
import { postgresSink } from '@eos/postgres';
import { changeAt, schema, type SoakRow } from './changes.js';
import { FENCED_EXIT, MODES, nameOf, TASK_VARIABLE, type Mode, type News, type Task } from './task.js';

const NEWS_MS = 500;
const MOST_ROWS = 500n;
const EMPTY_MS = 20;

// Set by this tool itself.
const task = JSON.parse(process.env[TASK_VARIABLE] ?? '{}') as Task;
const counts = { commits: 0, settled: 0, retries: 0 };

subscribe('eos:commit', () => void (counts.commits += 1));
subscribe('eos:settle', () => void (counts.settled += 1));
subscribe('eos:retry', () => void (counts.retries += 1));
const timer = setInterval(() => {
  process.send?.({ rssBytes: process.memoryUsage.rss(), ...counts } satisfies News);
}, NEWS_MS);

const ends = await Promise.all(MODES.map(run));
clearInterval(timer);
if (ends.includes('fenced')) process.exitCode = FENCED_EXIT;
process.disconnect();

async function run(mode: Mode): Promise<'stopped' | 'fenced'> {
  const name = nameOf(task.group, mode);
  const upsert = mode === 'upsert' ? { mode, key: ['id'] } : { mode };
  try {
    await pipeline({
      id: name,
      source: iterableSource<SoakRow>({
        replayable: true,
        changelog: mode,
        identity: { kind: 'soak', mode },
        open: (from) => entries(mode, from ?? 0n),
      }),
      sinks: { soak: postgresSink({ connection: task.url, table: name, schema, ...upsert }) },
      trigger: { rows: 400, intervalMs: 200 },
      retry: { attempts: Infinity, initialMs: 20, maxMs: 1_000 },
    }).run();
    return 'stopped';
  } catch (error) {
    if (isEosError(error, 'EOS_FENCED')) return 'fenced';
    console.error(`${name}: ${messageOf(error)}`, error);
    process.exit(1);
  }
}

async function* entries(mode: Mode, from: bigint): AsyncGenerator<Entry<SoakRow>[]> {
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
      return { offset, ...changeAt(mode, offset) };
    });
  }
}
