import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFile, chmod, chown, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

import { hasCode, ServiceError } from '../errors.js';
import { copyTree } from '../process/copy-tree.js';
import { outputOf } from '../process/program.js';
import { temporaryFolder } from '../process/system-user.js';
import type { SystemUser } from '../process/system-user.js';
import { guard } from '../process/watchdog.js';
import type { PostgresBinaries } from './binaries.js';
import type { PostgresOptions } from './types.js';

const run = promisify(execFile);

/** The files of one server. */
export interface Cluster {
  /** Holds the three below. */
  readonly directory: string;
  readonly data: string;
  readonly logFile: string;
  readonly password: string;
  /** Whether the folder is a temporary one, to be removed in the end. */
  readonly temporary: boolean;
  /** Takes a temporary folder back from the watchdog, once it was removed. */
  release(): void;
}

/** The superuser of every server started here. */
export const superuser = 'postgres';

/** Makes the folder of a server: from a snapshot, from what it already holds, or by `initdb`. */
export async function prepareCluster(
  options: PostgresOptions,
  binaries: PostgresBinaries,
  user: SystemUser | undefined,
): Promise<Cluster> {
  const directory = await makeFolder(options.directory, user);
  const data = join(directory, 'data');
  const temporary = options.directory === undefined;
  // Before anything is in it: filling takes a second, in which this process may be killed.
  const release = guard({ signal: 'SIGTERM', remove: temporary ? [directory] : [] });
  const files = {
    directory,
    data,
    logFile: join(directory, 'server.log'),
    temporary,
    release,
  };
  try {
    const cluster = { ...files, password: await fill(files, options, binaries, user) };
    await appendFile(join(data, 'postgresql.conf'), formatSettings(options.settings ?? {}));
    return cluster;
  } catch (error) {
    if (temporary) await rm(directory, { recursive: true, force: true });
    release();
    throw error;
  }
}

async function makeFolder(given: string | undefined, user: SystemUser | undefined): Promise<string> {
  if (given === undefined) {
    const directory = await mkdtemp(join(await temporaryFolder(user), 'eos-postgres-'));
    // The server's user must get through to `data`, which only that user may read.
    await chmod(directory, 0o711);
    return directory;
  }
  const directory = resolve(given);
  await mkdir(directory, { recursive: true, mode: 0o711 });
  return directory;
}

/** Fills the data folder unless it is filled already; returns the password. */
async function fill(
  { directory, data }: { directory: string; data: string },
  options: PostgresOptions,
  binaries: PostgresBinaries,
  user: SystemUser | undefined,
): Promise<string> {
  const passwordFile = join(directory, 'password');
  if (await exists(join(data, 'PG_VERSION'))) {
    if (options.from !== undefined) {
      throw new ServiceError(
        'EOS_SERVICE_FAILED',
        `${data} already holds a database; a snapshot needs an empty folder`,
      );
    }
    return (await readFile(passwordFile, 'utf8')).trim();
  }
  const password = options.from?.password ?? randomBytes(12).toString('hex');
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (options.from !== undefined) {
    await copyTree(options.from.directory, data, { owner: user });
    return password;
  }
  // `initdb` runs as the server's user, and so does whoever makes the folder and reads the password.
  await mkdir(data, { mode: 0o700 });
  if (user !== undefined) for (const path of [data, passwordFile]) await chown(path, user.uid, user.gid);
  await initialise(data, passwordFile, options.initdbArguments ?? [], binaries, user);
  return password;
}

async function initialise(
  data: string,
  passwordFile: string,
  further: readonly string[],
  binaries: PostgresBinaries,
  user: SystemUser | undefined,
): Promise<void> {
  const fixed = [
    `--pgdata=${data}`,
    `--username=${superuser}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
  ];
  // Nothing of value is stored yet, so there is nothing to sync; the server itself syncs.
  const defaults = ['--encoding=UTF8', '--locale=C', '--no-sync', '--no-instructions'];
  try {
    await run(binaries.initdb, [...fixed, ...quickLogin(binaries), ...defaults, ...further], {
      cwd: data,
      ...(user && { uid: user.uid, gid: user.gid }),
    });
  } catch (error) {
    throw new ServiceError(
      'EOS_SERVICE_FAILED',
      `initdb failed: ${outputOf(error, 'stderr').trim() || 'it could not be run'}`,
      {
        cause: error,
      },
    );
  }
}

/** The password is random, so that to hash it 4,096 times protects nothing: it takes a client a third of each connection's time. */
function quickLogin({ version }: PostgresBinaries): string[] {
  return Number.parseInt(version, 10) >= 16 ? ['-c', 'scram_iterations=1'] : [];
}

function formatSettings(settings: Readonly<Record<string, string | number | boolean>>): string {
  const lines = Object.entries(settings).map(([name, value]) => {
    const text = typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value);
    return `${name} = '${text.replaceAll("'", "''")}'\n`;
  });
  return lines.join('');
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}
