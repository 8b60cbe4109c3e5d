import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { hasCode } from '../errors.js';

/** Where what was fetched for a service stays: `EOS_SERVICES_CACHE`, or a folder of the repository that git ignores. */
export function cacheFolder(): string {
  return (
    process.env.EOS_SERVICES_CACHE ??
    fileURLToPath(new URL('../../../../.cache/eos-services', import.meta.url))
  );
}

/** The folder of the cache that `key` names, filled or not. */
export function cachedFolder(key: string): string {
  return join(cacheFolder(), key);
}

/**
 * Makes a folder of the cache with `fill`, unless it is there. It appears whole or not at all, and of several
 * processes that want it at the same time one fills it.
 */
export async function cached(key: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const folder = cachedFolder(key);
  if (existsSync(folder)) return folder;
  await mkdir(dirname(folder), { recursive: true });
  await withLock(`${folder}.lock`, async () => {
    if (existsSync(folder)) return;
    const unfinished = `${folder}.unfinished-${process.pid}`;
    try {
      await mkdir(unfinished);
      await fill(unfinished);
      await rename(unfinished, folder);
    } finally {
      await rm(unfinished, { recursive: true, force: true });
    }
  });
  return folder;
}

async function withLock(file: string, work: () => Promise<void>): Promise<void> {
  while (!(await takeLock(file))) await delay(250);
  try {
    await work();
  } finally {
    await rm(file, { force: true });
  }
}

/**
 * The lock is a file with its owner's process id: that of a process which has ended counts for nothing. It spares
 * others the work and no more; a folder is complete when it appears, even if two processes made it.
 */
async function takeLock(file: string): Promise<boolean> {
  try {
    await writeFile(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  }
  const owner = await readFile(file, 'utf8').catch(() => '');
  // Empty: its owner is about to write into it, or never will.
  const isAbandoned = owner === '' ? (await ageOf(file)) > 10_000 : !isAlive(Number(owner));
  if (isAbandoned) await rm(file, { force: true });
  return false;
}

async function ageOf(file: string): Promise<number> {
  const found = await stat(file).catch(() => undefined);
  return found === undefined ? 0 : Date.now() - found.mtimeMs;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}
