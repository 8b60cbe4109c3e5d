import { chmod, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { fetchWith, findProgram } from './program.js';

/** Whether packages can be fetched here. */
export function hasDebianPackages(): boolean {
  return findProgram('apt-get') !== undefined && findProgram('dpkg') !== undefined;
}

/** Fetches Debian's packages and unpacks them into a folder: nothing is installed. */
export async function unpackDebian(packages: readonly string[], target: string): Promise<void> {
  const archives = join(target, 'archives');
  await mkdir(archives);
  // Whoever downloads as root hands the work to a user without rights, who must be able to write here.
  await chmod(archives, 0o777);
  const download = (): Promise<void> => fetchWith('apt-get', ['download', ...packages], { cwd: archives });
  await download().catch(async (error: unknown) => {
    // A new machine knows of no packages yet.
    if (process.getuid?.() !== 0) throw error;
    await fetchWith('apt-get', ['update', '--quiet']);
    await download();
  });
  for (const archive of await readdir(archives)) {
    await fetchWith('dpkg', ['--extract', join(archives, archive), target]);
  }
}
