import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { ServiceError } from '../errors.js';
import { cached, cachedFolder } from '../process/cache.js';
import { copyTree } from '../process/copy-tree.js';
import { hasDebianPackages, unpackDebian } from '../process/debian.js';
import { findProgram } from '../process/program.js';
import { isReachableByOthers } from '../process/system-user.js';
import type { SystemUser } from '../process/system-user.js';

/** Debian's package, and what of its libraries a small system may lack. */
const packages = ['pgbouncer', 'libevent-2.1-7', 'libc-ares2'];
const key = `pgbouncer-debian-${process.arch}`;
const installed = '/usr/sbin/pgbouncer';

/** How to run PgBouncer. */
export interface PgBouncerProgram {
  readonly command: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** What this machine lacks to run PgBouncer, or undefined; looks only at files. */
export function missingForPgBouncer(): string | undefined {
  if (findInstalled() !== undefined || existsSync(cachedFolder(key))) return undefined;
  if (hasDebianPackages()) return undefined;
  return 'pgbouncer is not on the search path, and there is no apt-get to fetch it with';
}

/**
 * The program that is installed, or else the one of Debian's package, unpacked into the cache: nothing is installed. Where `user`
 * cannot get at the cache, it is copied to `folder`.
 */
export async function findPgBouncer(folder: string, user: SystemUser | undefined): Promise<PgBouncerProgram> {
  const command = findInstalled();
  if (command !== undefined) return { command, environment: process.env };
  const missing = missingForPgBouncer();
  if (missing !== undefined) throw new ServiceError('EOS_SERVICE_UNAVAILABLE', missing);
  const unpacked = await cached(key, (target) => unpackDebian(packages, target));
  const isUsable = user === undefined || (await isReachableByOthers(programIn(unpacked)));
  const root = isUsable ? unpacked : join(folder, 'program');
  if (!isUsable) await copyTree(unpacked, root, { readableByAll: true });
  const libraries = join(root, 'usr', 'lib', multiarch());
  return { command: programIn(root), environment: { ...process.env, LD_LIBRARY_PATH: libraries } };
}

function programIn(root: string): string {
  return join(root, 'usr', 'sbin', 'pgbouncer');
}

function findInstalled(): string | undefined {
  return findProgram('pgbouncer') ?? (existsSync(installed) ? installed : undefined);
}

function multiarch(): string {
  return process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
}
