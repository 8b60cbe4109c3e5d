/** What one seed stands for: the data, the pipeline's options, and which faults come how often. */
import type { ChangelogMode, RetryOptions, SinkCapabilities, Trigger } from '@eos/core';
import { drawLog, type PartitionLog } from './changelog.js';
import type { Random } from './random.js';

/** Probabilities, for each request. */
export interface NetworkFaults {
  /** Certainly not sent: connection refused. */
  readonly refused: number;
  /** Answered with a failure that had no effect, such as a deadlock. */
  readonly rejected: number;
  readonly requestLost: number;
  readonly answerLost: number;
  /** Arrives when the client no longer waits. */
  readonly requestLate: number;
  readonly answerLate: number;
  /** Arrives twice, the second time perhaps much later. */
  readonly duplicated: number;
  /** The connection breaks while the request is under way: it may arrive all the same. */
  readonly cut: number;
}

export interface SourceFaults {
  readonly openFails: number;
  readonly readFails: number;
  /** Hands out a few changes again in the middle of reading. */
  readonly repeats: number;
  /** Waits long before it hands out a batch. */
  readonly idles: number;
  /** How many changes before the asked offset it may start, as a source does that seeks in blocks. */
  readonly startsEarlier: number;
}

export interface Plan {
  readonly mode: ChangelogMode;
  readonly atomic: SinkCapabilities['atomic'];
  readonly staging: boolean;
  readonly logs: readonly PartitionLog[];
  /** Partitions of each assignment. */
  readonly groups: readonly (readonly string[])[];
  readonly trigger: Trigger;
  readonly retry: RetryOptions;
  readonly stopTimeoutMs: number;
  /** How the author of the sink reports a lost answer: as whatever the client library threw, or as an error of Eos. */
  readonly lostAnswers: 'raw' | 'typed';
  /** Whether a transaction begins at the destination. */
  readonly isBeginSlow: boolean;
  /** Whether the transform answers later. */
  readonly isTransformSlow: boolean;
  /** When the processes start, in milliseconds. More than one: copies by mistake. */
  readonly starts: readonly number[];
  readonly network: NetworkFaults;
  readonly source: SourceFaults;
  /** Probabilities, for each event of a process. */
  readonly crash: number;
  readonly freeze: number;
  /** When a process is asked to stop. */
  readonly stops: readonly number[];
  /** How often partitions are taken away and given again. */
  readonly revocations: number;
  /** Whether the source is that of a group, whose members ask it again when they were fenced. */
  readonly isGroup: boolean;
  readonly outages: readonly { readonly from: number; readonly to: number }[];
  /** When the destination goes back, and by how many of its steps. */
  readonly restores: readonly { readonly at: number; readonly steps: number }[];
  /** When the destination's table is dropped and made again. */
  readonly replacedAt: number | undefined;
}

/** From then on nothing fails any more, in milliseconds. */
export const CALM = 1_500;

/** How long a client waits for an answer, in milliseconds. */
export const PATIENCE = 60;

export function drawPlan(random: Random): Plan {
  const mode = random.pick<ChangelogMode>(['append', 'upsert', 'retract']);
  const count = random.integer(1, 3);
  const partitions = Array.from({ length: count }, (_, index) => `p${index}`);
  const rows = random.pick([6, 15, 30]);
  /** Each kind of fault is absent from half of the schedules: together they would hide each other. */
  const rate = (...choices: number[]) => (random.chance(0.5) ? random.pick(choices) : 0);
  // Many schedules are through long before the calm.
  const time = () => random.integer(1, CALM * random.pick([0.05, 0.2, 0.6]));
  const times = (most: number) => Array.from({ length: random.integer(1, most) }, time);
  const sometimes = <T>(probability: number, draw: () => readonly T[]) =>
    random.chance(probability) ? draw() : [];
  return {
    mode,
    atomic: random.pick(['transaction', 'partition']),
    staging: random.chance(0.6),
    logs: partitions.map((partition) => drawLog(random, partition, mode, random.integer(1, rows))),
    groups: random.chance(0.7) ? [partitions] : partitions.map((partition) => [partition]),
    trigger: {
      rows: random.integer(1, 8),
      bytes: random.pick([20, 60, 1_000]),
      intervalMs: random.pick([0, 10, 60, 1_000]),
    },
    retry: {
      attempts: random.pick([4, 8, 20, Infinity]),
      initialMs: random.pick([1, 20]),
      maxMs: random.pick([20, 150]),
    },
    stopTimeoutMs: random.pick([5, 100]),
    lostAnswers: random.pick(['raw', 'typed']),
    isBeginSlow: random.chance(0.4),
    isTransformSlow: random.chance(0.4),
    starts: [0, ...sometimes(0.5, () => times(2))],
    network: {
      refused: rate(0.02, 0.1),
      rejected: rate(0.02, 0.1),
      requestLost: rate(0.02, 0.1),
      answerLost: rate(0.02, 0.1, 0.3),
      requestLate: rate(0.02, 0.1, 0.3),
      answerLate: rate(0.02, 0.1),
      duplicated: rate(0.02, 0.1, 0.3),
      cut: rate(0.02, 0.1),
    },
    source: {
      openFails: rate(0.05),
      readFails: rate(0.01, 0.05),
      repeats: rate(0.05, 0.2),
      idles: rate(0.05),
      startsEarlier: rate(1, 5),
    },
    crash: rate(0.002, 0.02, 0.05),
    freeze: rate(0.002, 0.01),
    stops: sometimes(0.25, () => times(3)),
    revocations: random.chance(0.15) ? random.integer(1, 3) : 0,
    isGroup: random.chance(0.3),
    outages: sometimes(0.2, () => times(2)).map((from) => ({ from, to: from + random.integer(10, 300) })),
    restores: sometimes(0.3, () => times(2)).map((at) => ({ at, steps: random.integer(1, 12) })),
    replacedAt: random.chance(0.05) ? time() : undefined,
  };
}
