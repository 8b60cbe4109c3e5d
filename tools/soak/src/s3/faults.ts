/** What goes wrong with writers and their object store. */
import { setTimeout as delay } from 'node:timers/promises';
import type { S3Server } from '@eos/services';
import type { Random } from '@eos/simulation';
import { always, networkFaults, type Fault, type NetworkStage } from '../network-faults.js';
import type { Writers } from '../writers.js';
import { STEADY, WRITERS, type WriterName } from './task.js';

export interface S3Stage extends NetworkStage {
  readonly server: S3Server;
  readonly writers: Writers<WriterName>;
}

/** The entry of the log; no row holds the words. */
const hasCommit = (chunk: Buffer) => chunk.includes('"kind":"commit"');

const hunted = (random: Random): WriterName => random.pick(WRITERS.filter((name) => name !== STEADY));

export const S3_FAULTS: readonly Fault<S3Stage>[] = [
  always('writer killed (SIGKILL)', 10, ({ writers, random }: S3Stage) =>
    writers.killAndRestart(hunted(random)),
  ),
  always('second copy started', 3, ({ writers, random }: S3Stage) => writers.startCopy(hunted(random))),
  always('second copy started while the first was frozen', 3, ({ writers, random }: S3Stage) =>
    writers.startCopyOfFrozen(hunted(random)),
  ),
  always('server restarted', 2, ({ server }: S3Stage) => server.restart()),
  always('server killed (SIGKILL)', 2, async ({ server }: S3Stage) => {
    await server.kill();
    await server.start();
  }),
  always('server frozen', 2, async ({ server, random }: S3Stage) => {
    await server.freeze();
    await delay(random.integer(100, 3_000));
    await server.thaw();
  }),
  ...networkFaults(hasCommit),
];
