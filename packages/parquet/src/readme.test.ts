import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

test('the first example of the README runs, and prints what it says', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const example = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? '';
  // Below the package, where its dependencies are found.
  const folder = await mkdtemp(join(fileURLToPath(new URL('..', import.meta.url)), 'out-readme-'));
  try {
    await writeFile(join(folder, 'example.mjs'), example);
    const { stdout } = await promisify(execFile)(process.execPath, ['example.mjs'], { cwd: folder });
    const said = [...example.matchAll(/console\.log\(.*; \/\/ (.+)$/gm)].map(([, text]) => text);
    expect(said).toHaveLength(2);
    expect(stdout.trim().split('\n')).toEqual(said);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 30_000);
