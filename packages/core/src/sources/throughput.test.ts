import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { Source } from '../source.js';
import { csvSource, jsonArraySource, ndjsonSource } from './index.js';
import { readBatches, withFolder } from './reading.testing.js';

const ROWS = 50_000;

/**
 * Against JSON.parse of the whole file at once, in the same process, and in processor time, so that a busy machine changes little: a
 * source takes 2 to 4 times as long. What this would catch is work that grows with more than the size of the text.
 */
test.each([
  { name: 'ndjson', make: (path: string): Source<unknown> => ndjsonSource({ path }) },
  { name: 'json array', make: (path: string): Source<unknown> => jsonArraySource({ path }) },
  { name: 'csv', make: (path: string): Source<unknown> => csvSource({ path }) },
])(
  '$name is read about as fast as JSON is parsed',
  async ({ name, make }) => {
    await withFolder(async (folder) => {
      const path = join(folder, 'data');
      const rows = Array.from({ length: ROWS }, (_, id) => ({
        delay: id % 97,
        distance: id % 2500,
        time: id / 60,
      }));
      const array = `[${rows.map((row) => JSON.stringify(row)).join(',')}]`;
      const lines = rows
        .map((row) => (name === 'csv' ? Object.values(row).join(',') : JSON.stringify(row)))
        .join('\n');
      await writeFile(join(folder, 'array'), array);
      await writeFile(
        path,
        name === 'json array' ? array : name === 'csv' ? `delay,distance,time\n${lines}\n` : lines,
      );
      const ratios: number[] = [];
      for (let run = 0; run < 5; run++) {
        const start = process.cpuUsage();
        JSON.parse(readFileSync(join(folder, 'array'), 'utf8'));
        const parsing = sum(process.cpuUsage(start));
        const middle = process.cpuUsage();
        const batches = await readBatches(make(path), { limits: [10_000] });
        const reading = sum(process.cpuUsage(middle));
        expect(batches.reduce((count, batch) => count + batch.rows.length, 0)).toBe(ROWS);
        ratios.push(reading / parsing);
      }
      expect(Math.min(...ratios)).toBeLessThan(10);
    });
  },
  60_000,
);

function sum({ user, system }: NodeJS.CpuUsage): number {
  return user + system;
}
