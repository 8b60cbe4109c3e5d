import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const CHILD = fileURLToPath(new URL('../../testing/compare-child.mjs', import.meta.url));
const ROWS = 1_000_000;

/** As texts in a map, these rows take more than all that the process may have. */
const MOST_KILOBYTES = 230_000;

test.each([
  ['append', 'equal', 0],
  ['append', 'all of them changed', 1_000],
  ['upsert', 'one in a thousand changed', 1],
])(
  '%s of 1,000,000 rows, %s, are compared in bounded memory',
  async (mode, _title, changed) => {
    // Where all differ, all are held against each other: fewer take as long.
    const rows = changed === 1_000 ? 0.3 * ROWS : ROWS;
    const folder = await mkdtemp(join(tmpdir(), 'eos-memory-'));
    try {
      const words = ['--max-old-space-size=96', CHILD, mode, String(rows), String(changed), folder];
      const { stdout } = await promisify(execFile)(process.execPath, words);
      const result = JSON.parse(stdout) as { readonly memory: number };
      const counts = { lost: 0, doubled: 0, changed: (rows / 1_000) * changed, foreign: 0 };
      expect(result).toMatchObject({ counts, expected: rows, found: rows });
      expect(result.memory).toBeLessThan(MOST_KILOBYTES);
      expect(await readdir(folder)).toEqual([]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
  180_000,
);
