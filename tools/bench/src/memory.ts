/** What is said of the memory of a long run in a process of its own: how high it gets, and whether it grows with what went through. */
import type { ChildMessage, MemorySample } from './children/protocol.js';
import { measurement, oursAtMost, type Measurement } from './measurement.js';
import { slope } from './statistics.js';

export const MEGABYTE = 1_000_000;
/** Until then the heap finds its size. */
const WARM_UP_SHARE = 0.2;
/** What is left of a leak of a few bytes a row would be more; less is how a heap breathes. In MB for a million rows. */
const GROWTH_LIMIT = 2;

type Done = Extract<ChildMessage, { type: 'done' }>;

export interface MemoryRun {
  readonly rows: number;
  readonly peakLimitMegabytes: number;
  readonly details?: Readonly<Record<string, number>>;
}

/** @returns `<name>/peak` in MB and `<name>/growth` in MB for a million rows */
export function memoryMeasurements(
  name: string,
  { samples, peakBytes }: Done,
  { rows, peakLimitMegabytes, details: more = {} }: MemoryRun,
): Measurement[] {
  const settled = samples.filter((sample) => sample.rows >= rows * WARM_UP_SHARE);
  const details = { rows, samples: settled.length, ...more };
  return [
    measurement({
      name: `${name}/peak`,
      ours: peakBytes / MEGABYTE,
      unit: 'MB',
      runs: 1,
      target: oursAtMost(peakLimitMegabytes),
      details,
    }),
    measurement({
      name: `${name}/growth`,
      ours: growth(settled),
      unit: 'MB/1M rows',
      runs: 1,
      target: oursAtMost(GROWTH_LIMIT),
      details: { ...details, 'MB at 20 % and at 100 %': [at(settled, 0), at(settled, settled.length - 1)] },
    }),
  ];
}

/** Megabytes for each million rows, by the straight line through the samples. */
function growth(samples: readonly MemorySample[]): number {
  if (samples.length === 0) return 0;
  return slope(samples.map(({ rows, bytes }) => ({ x: rows / 1e6, y: bytes / MEGABYTE })));
}

function at(samples: readonly MemorySample[], index: number): number {
  return (samples[index]?.bytes ?? 0) / MEGABYTE;
}
