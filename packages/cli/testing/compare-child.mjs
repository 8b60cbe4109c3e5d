/**
 * Compares rows that are made as they are read, so that what memory is used is that of the comparison: `compare-child.mjs <append|upsert>
 * <rows> <changed> <folder>`. Prints the counts and the most memory that the process has had, in kilobytes.
 */
import { Buffer } from 'node:buffer';
import { compare } from '../dist/verify/compare.js';

const [mode, rows, changed, folder] = process.argv.slice(2);
const count = Number(rows);

function* blocks(surplus) {
  for (let start = 0; start < count; start += 1_000) {
    let text = '';
    const end = Math.min(count, start + 1_000);
    for (let id = start; id < end; id++) {
      const value = id % 1_000 < Number(changed) ? id + surplus : id;
      text += `${id}\tcity ${id % 97}\t${value}\t2024-02-29 12:00:${id % 60}+00\n`;
    }
    yield {
      lines: Buffer.from(text),
      count: end - start,
      partition: 'p',
      from: BigInt(start),
      next: BigInt(end),
    };
  }
}

const { counts, expected, found } = await compare({
  expected: () => blocks(0),
  async *found() {
    for (const { lines } of blocks(1)) yield lines;
  },
  keyColumns: 1,
  isUpsert: mode === 'upsert',
  limit: 5,
  folder,
  seed: 1,
});
console.log(JSON.stringify({ counts, expected, found, memory: process.resourceUsage().maxRSS }));
