/** What the writers of several soaks share: how they tell of themselves, how they end, and how fast their changes come. */
import { subscribe } from 'node:diagnostics_channel';
import { setTimeout as delay } from 'node:timers/promises';
import { isEosError, messageOf, type Entry } from '@eos/core';
import type { SoakChange, SoakRow } from './changes.js';
import { FENCED_EXIT, TASK_VARIABLE, type News } from './task.js';

const NEWS_MS = 500;
const MOST_ROWS = 500n;
const EMPTY_MS = 20;

/** What the soak has set for its writer. */
export function writerTask(): unknown {
  return JSON.parse(process.env[TASK_VARIABLE] ?? '{}');
}

/** Runs pipelines side by side and sends news of them; ends the process as its exit code tells, at once where one fails. */
export async function runPipelines(runs: ReadonlyMap<string, () => Promise<unknown>>): Promise<void> {
  const counts = { commits: 0, settled: 0, retries: 0 };
  subscribe('eos:commit', () => void (counts.commits += 1));
  subscribe('eos:settle', () => void (counts.settled += 1));
  subscribe('eos:retry', () => void (counts.retries += 1));
  const timer = setInterval(() => {
    process.send?.({ rssBytes: process.memoryUsage.rss(), ...counts } satisfies News);
  }, NEWS_MS);
  const ends = await Promise.all([...runs].map(([name, run]) => endOf(name, run)));
  clearInterval(timer);
  if (ends.includes('fenced')) process.exitCode = FENCED_EXIT;
  process.disconnect();
}

async function endOf(name: string, run: () => Promise<unknown>): Promise<'stopped' | 'fenced'> {
  try {
    await run();
    return 'stopped';
  } catch (error) {
    if (isEosError(error, 'EOS_FENCED')) return 'fenced';
    console.error(`${name}: ${messageOf(error)}`, error);
    process.exit(1);
  }
}

export interface Pace {
  /** When the first change happened, in milliseconds since 1970. */
  readonly startedAt: number;
  /** Changes a second. */
  readonly rate: number;
}

/** Changes from an offset on, as they become readable, without end. */
export async function* pacedEntries(
  { startedAt, rate }: Pace,
  from: bigint,
  changeOf: (offset: bigint) => SoakChange,
): AsyncGenerator<Entry<SoakRow>[]> {
  for (let next = from; ;) {
    const readable = BigInt(Math.floor(((Date.now() - startedAt) / 1000) * rate));
    if (readable <= next) {
      await delay(EMPTY_MS);
      continue;
    }
    const count = readable - next < MOST_ROWS ? readable - next : MOST_ROWS;
    const first = next;
    next += count;
    yield Array.from({ length: Number(count) }, (_, index) => {
      const offset = first + BigInt(index);
      return { offset, ...changeOf(offset) };
    });
  }
}
