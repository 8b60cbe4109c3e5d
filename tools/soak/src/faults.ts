/** What goes wrong with writers and their PostgreSQL. */
import { setTimeout as delay } from 'node:timers/promises';
import type { PostgresServer } from '@eos/services';
import { always, networkFaults, type Fault, type NetworkStage } from './network-faults.js';
import type { Group } from './task.js';
import type { Writers } from './writers.js';

export interface Stage extends NetworkStage {
  readonly server: PostgresServer;
  readonly writers: Writers<Group>;
}

/** The command, and the tag of its answer; no row holds the word. */
const hasCommit = (chunk: Buffer) => chunk.includes('COMMIT');

export const FAULTS: readonly Fault<Stage>[] = [
  always('writer killed (SIGKILL)', 8, ({ writers }: Stage) => writers.killAndRestart('hunted')),
  always('second copy started', 3, ({ writers }: Stage) => writers.startCopy('hunted')),
  always('second copy started while the first was frozen', 2, ({ writers }: Stage) =>
    writers.startCopyOfFrozen('hunted'),
  ),
  always('server restarted', 2, ({ server }: Stage) => server.restart('fast')),
  always('server crashed', 2, ({ server }: Stage) => server.restart('immediate')),
  always('server frozen', 2, async ({ server, random }: Stage) => {
    await server.freeze();
    await delay(random.integer(100, 3_000));
    await server.thaw();
  }),
  ...networkFaults(hasCommit),
];
