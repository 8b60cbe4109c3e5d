import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { cached } from './cache.js';

describe('the cache', () => {
  let folder: string;
  const before = process.env.EOS_SERVICES_CACHE;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'eos-cache-test-'));
    process.env.EOS_SERVICES_CACHE = folder;
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
    if (before === undefined) delete process.env.EOS_SERVICES_CACHE;
    else process.env.EOS_SERVICES_CACHE = before;
  });

  const fill = (text: string) => (target: string) => writeFile(join(target, 'file'), text);

  test('fills a folder once, also when several want it at the same time', async () => {
    let filled = 0;
    const count = async (target: string): Promise<void> => {
      filled++;
      await fill('content')(target);
    };
    const folders = await Promise.all([cached('a/b', count), cached('a/b', count)]);
    expect(filled).toBe(1);
    expect(folders).toEqual([join(folder, 'a/b'), join(folder, 'a/b')]);
    expect(await readFile(join(folder, 'a/b/file'), 'utf8')).toBe('content');
  });

  test('has nothing of a folder that could not be filled, and tries again', async () => {
    const failure = cached('c', async (target) => {
      await fill('half')(target);
      throw new Error('no network');
    });
    await expect(failure).rejects.toThrow('no network');
    expect(await readdir(folder)).not.toContain('c');
    await cached('c', fill('whole'));
    expect(await readFile(join(folder, 'c/file'), 'utf8')).toBe('whole');
    expect(await readdir(folder)).toEqual(['c']);
  });

  test('ignores the lock of a process that has ended', async () => {
    await writeFile(join(folder, 'd.lock'), '2147483647');
    await cached('d', fill('content'));
    expect(await readdir(folder)).toEqual(['d']);
  });
});
