import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createTreeWithEmptyWorkspace } from '@nx/devkit/testing';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import generateSink from './generator.js';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../../../../', import.meta.url));
/** As deep as a package, so that what it names relatively is there. */
const folder = join(root, '.cache', `generated-sink-${process.pid}`);
const tree = createTreeWithEmptyWorkspace();

beforeAll(async () => {
  tree.write(
    'tsconfig.json',
    JSON.stringify({ references: [{ path: 'packages/core' }, { path: 'tools/ci' }] }),
  );
  await generateSink(tree, { name: 'big-query' });
  for (const { path, content } of tree.listChanges()) {
    if (!path.startsWith('packages/big-query/') || content === null) continue;
    const file = join(folder, path.slice('packages/big-query/'.length));
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
});

afterAll(() => rm(folder, { recursive: true, force: true }));

test('the package is referenced among the packages', () => {
  const { references } = JSON.parse(tree.read('tsconfig.json', 'utf8') ?? '{}') as { references: object[] };
  expect(references).toEqual([
    { path: 'packages/core' },
    { path: 'packages/big-query' },
    { path: 'tools/ci' },
  ]);
});

test.each(['BigQuery', 'big_query', '-big', '../big', ''])('the name %p is refused', async (name) => {
  await expect(generateSink(tree, { name })).rejects.toThrow('lower case');
});

test('a package is not overwritten', async () => {
  await expect(generateSink(tree, { name: 'big-query' })).rejects.toThrow('is there already');
});

// The testkit holds the same sink to the rest, its volume. Its types are those of the port, and what it writes exactly once are real files, through kills and lost answers.
test('what is generated compiles under the rules of this repository, and passes the conformance suite, volume apart', async () => {
  const run = (script: string, given: readonly string[]) =>
    execute(process.execPath, ['--experimental-vm-modules', join(root, 'node_modules', script), ...given], {
      cwd: folder,
      maxBuffer: 2 ** 26,
    }).catch((error: unknown) => outputOf(error));
  expect((await run('typescript/bin/tsc', ['-b'])).stdout).toBe('');
  const { stderr } = await run('jest/bin/jest.js', [
    '--reporters=default',
    '--testNamePattern=^(?!.* › volume|.* volume )',
  ]);
  const summary = /^Tests: .*/m.exec(stderr)?.[0] ?? '';
  // All of the output where a test failed, or none ran.
  expect(/^Tests: +\d+ skipped, 1\d\d passed, \d+ total$/.test(summary) ? '' : stderr).toBe('');
}, 300_000);

function outputOf(error: unknown): { stdout: string; stderr: string } {
  if (typeof error === 'object' && error !== null && 'stdout' in error && 'stderr' in error)
    return { stdout: String(error.stdout), stderr: String(error.stderr) };
  throw error;
}
