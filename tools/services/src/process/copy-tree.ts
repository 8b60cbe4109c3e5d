import { constants } from 'node:fs';
import { chmod, copyFile, lstat, mkdir, readdir, readlink, symlink } from 'node:fs/promises';
import { lchown } from 'node:fs/promises';
import { join } from 'node:path';

import { hasCode } from '../errors.js';
import type { SystemUser } from './system-user.js';

/** How to copy a folder. */
export interface CopyOptions {
  /** Who owns the copy; the user of this process unless given. */
  readonly owner?: SystemUser | undefined;
  /** Gives everybody the right to read the copy, and to run what its owner may run. */
  readonly readableByAll?: boolean;
  /** Tells by a path relative to the folder, with `/`, what stays out: a file, or a folder with all it holds. */
  readonly leaveOut?: (path: string) => boolean;
}

/**
 * Copies a folder that may be in use: a file that vanishes meanwhile is left out. Files are cloned where the file
 * system can do that.
 */
export async function copyTree(
  source: string,
  target: string,
  options: CopyOptions = {},
  path = '',
): Promise<void> {
  const from = join(source, path);
  const to = join(target, path);
  const found = await unlessGone(lstat(from));
  if (found === undefined) return;

  if (found.isDirectory()) {
    await mkdir(to, { recursive: path === '' });
    for (const name of (await unlessGone(readdir(from))) ?? []) {
      const child = path === '' ? name : `${path}/${name}`;
      if (!options.leaveOut?.(child)) await copyTree(source, target, options, child);
    }
  } else if (found.isSymbolicLink()) {
    await symlink(await readlink(from), to);
  } else if (found.isFile()) {
    if ((await unlessGone(copyFile(from, to, constants.COPYFILE_FICLONE).then(() => true))) === undefined)
      return;
  } else {
    return;
  }
  if (!found.isSymbolicLink())
    await chmod(to, options.readableByAll ? opened(found.mode) : found.mode & 0o777);
  if (options.owner !== undefined) await lchown(to, options.owner.uid, options.owner.gid);
}

/** Adds, for the group and for others, the rights to read and to run that the owner has. */
function opened(mode: number): number {
  const rights = mode & 0o500;
  return (mode & 0o777) | (rights >> 3) | (rights >> 6);
}

async function unlessGone<Result>(work: Promise<Result>): Promise<Result | undefined> {
  try {
    return await work;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
