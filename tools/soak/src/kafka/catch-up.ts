/** Waiting until all pipelines are at the end of the topic. */
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf, type Positions } from '@eos/core';
import type { Members } from './members.js';
import { contextOf, copySink, logSink, sourceOf, tableSink } from './pipelines.js';
import { PIPELINES, type KafkaTask, type PipelineName } from './task.js';

const CATCH_UP_MS = 15 * 60_000;

/** Waits until every pipeline is at the end of the topic, by what its destination holds. */
export async function caughtUp(
  task: KafkaTask,
  members: Pick<Members, 'count' | 'problems' | 'totals'>,
  onProgress: (line: string) => void,
): Promise<void> {
  const end = performance.now() + CATCH_UP_MS;
  const sinks = { copy: copySink(task), table: tableSink(task), log: logSink(task) };
  let toldAt = performance.now();
  for (;;) {
    const behind = await Promise.all(PIPELINES.map((name) => lagOf(task, name, sinks[name])));
    if (behind.every((count) => count === 0n)) return;
    if (members.count === 0) throw new Error(`no process is left: ${members.problems.join('\n')}`);
    if (performance.now() > end)
      throw new Error(
        `still behind: ${PIPELINES.map((name, index) => `${name} ${behind[index]}`).join(', ')}`,
      );
    if (performance.now() - toldAt > 15_000) {
      toldAt = performance.now();
      onProgress(
        `${members.totals.rows} rows in ${members.totals.commits} commits; behind by ${behind.join(', ')}`,
      );
    }
    await delay(500);
  }
}

async function lagOf(
  task: KafkaTask,
  name: PipelineName,
  sink: { readonly abilities?: ReturnType<typeof copySink>['abilities'] },
): Promise<bigint> {
  const status = await sink.abilities?.status?.(contextOf(name)).catch((error: unknown) => {
    throw new Error(`${name}: ${messageOf(error)}`, { cause: error });
  });
  const positions: Positions = new Map(
    [...(status ?? [])].map(([partition, { position }]) => [partition, position]),
  );
  const lag = await sourceOf(task).abilities?.lag?.(positions);
  return [...(lag ?? [])].reduce((sum, [, { behind }]) => sum + (behind ?? 0n), 0n);
}
