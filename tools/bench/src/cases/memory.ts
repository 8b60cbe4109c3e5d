/** The memory of a long run in a process of its own: how high it gets, and whether it grows with what went through. */
import type { MemorySample } from '../children/protocol.js';
import type { Laboratory } from '../laboratory.js';
import { measurement, oursAtMost, type Measurement } from '../measurement.js';
import { slope } from '../statistics.js';
import { startWriter } from '../writer-process.js';
import type { BenchCase } from './case.js';

const MEGABYTE = 1_000_000;
const ROWS_PER_COMMIT = 10_000;
/** Until then the heap finds its size. */
const WARM_UP_SHARE = 0.2;

export function memoryCase(mode: 'append' | 'upsert'): BenchCase {
  const name = `postgres/${mode}/memory`;
  return {
    names: [`${name}/peak`, `${name}/growth`],
    measure: (laboratory) => measureMemory(laboratory, mode, name),
  };
}

async function measureMemory(
  laboratory: Laboratory,
  mode: 'append' | 'upsert',
  name: string,
): Promise<Measurement[]> {
  const { memoryRows } = laboratory.options;
  const table = laboratory.freshName('bench');
  await laboratory.createTable(table, { primaryKey: mode === 'upsert' });
  await laboratory.settle();
  const start = performance.now();
  const child = startWriter({
    writer: 'pipeline',
    mode,
    url: laboratory.url,
    table,
    pipeline: table,
    rows: memoryRows,
    rowsPerCommit: ROWS_PER_COMMIT,
    sampleMemory: true,
  });
  const { samples, peakBytes } = await child.next('done');
  const seconds = (performance.now() - start) / 1000;
  await laboratory.dropTable(table);
  const settled = samples.filter(({ rows }) => rows >= memoryRows * WARM_UP_SHARE);
  const details = { rows: memoryRows, seconds, samples: settled.length };
  return [
    measurement({
      name: `${name}/peak`,
      ours: peakBytes / MEGABYTE,
      unit: 'MB',
      runs: 1,
      target: oursAtMost(300),
      details,
    }),
    measurement({
      name: `${name}/growth`,
      ours: growth(settled),
      unit: 'MB/1M rows',
      runs: 1,
      // What is left of a leak of a few bytes a row would be more; less is how a heap breathes.
      target: oursAtMost(2),
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
