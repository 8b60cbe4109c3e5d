/** The memory of a long run in a process of its own: how high it gets, and whether it grows with what went through. */
import type { Laboratory } from '../laboratory.js';
import type { Measurement } from '../measurement.js';
import { memoryMeasurements } from '../memory.js';
import { startWriter } from '../writer-process.js';
import type { BenchCase } from './case.js';

const ROWS_PER_COMMIT = 10_000;

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
  const done = await child.next('done');
  const seconds = (performance.now() - start) / 1000;
  await laboratory.dropTable(table);
  return memoryMeasurements(name, done, { rows: memoryRows, peakLimitMegabytes: 300, details: { seconds } });
}
