import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { copyTree } from './copy-tree.js';

describe('copyTree', () => {
  let source: string;
  let target: string;

  beforeEach(async () => {
    source = await mkdtemp(join(tmpdir(), 'eos-copy-test-'));
    target = `${source}-target`;
    await mkdir(join(source, 'folder', 'empty'), { recursive: true, mode: 0o700 });
    await writeFile(join(source, 'folder', 'program'), 'text', { mode: 0o700 });
    await symlink('folder/program', join(source, 'link'));
  });

  afterEach(async () => {
    for (const folder of [source, target]) await rm(folder, { recursive: true, force: true });
  });

  const modeOf = async (path: string): Promise<number> => (await lstat(join(target, path))).mode & 0o777;

  test('copies files, empty folders, links and modes', async () => {
    await copyTree(source, target);
    expect((await readdir(target, { recursive: true })).sort()).toEqual([
      'folder',
      join('folder', 'empty'),
      join('folder', 'program'),
      'link',
    ]);
    expect(await readFile(join(target, 'link'), 'utf8')).toBe('text');
    expect(await readlink(join(target, 'link'))).toBe('folder/program');
    expect(await modeOf('folder/program')).toBe(0o700);
  });

  test('can open the copy to everybody, and leave things out', async () => {
    await copyTree(source, target, { readableByAll: true, leaveOut: (path) => path === 'folder/empty' });
    expect(await readdir(join(target, 'folder'))).toEqual(['program']);
    expect(await modeOf('folder')).toBe(0o755);
    expect(await modeOf('folder/program')).toBe(0o755);
  });

  test('has nothing of a source that is gone', async () => {
    await copyTree(join(source, 'nowhere'), target);
    await expect(lstat(target)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
