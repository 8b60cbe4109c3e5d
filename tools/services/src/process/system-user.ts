import { execFileSync } from 'node:child_process';
import { constants } from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';

import { ServiceError } from '../errors.js';

/** A user of the operating system. */
export interface SystemUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

// `initdb` looks its user up by number, so that any number will not do; every Unix has `nobody`.
const CANDIDATES = ['postgres', 'nobody'];

/**
 * The user for a server that refuses to run as root, or undefined when this process is not root and the server can
 * simply run as the same user.
 */
export function unprivilegedUser(): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of CANDIDATES) {
    try {
      return { name, uid: idOf('-u', name), gid: idOf('-g', name) };
    } catch {
      // No such user on this machine.
    }
  }
  throw new ServiceError(
    'EOS_SERVICE_UNAVAILABLE',
    `as root, one of these users is needed: ${CANDIDATES.join(', ')}`,
  );
}

function idOf(flag: '-u' | '-g', name: string): number {
  return Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
}

/** Whether any user of the machine can reach and run the file: a folder such as `/root` above it forbids that. */
export async function isReachableByOthers(file: string): Promise<boolean> {
  const readAndExecute = constants.S_IROTH | constants.S_IXOTH;
  if (((await stat(file)).mode & readAndExecute) !== readAndExecute) return false;
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    if (((await stat(folder)).mode & constants.S_IXOTH) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

/** The folder for temporary files; one that `user` can reach too, when there is a user. */
export async function temporaryFolder(user: SystemUser | undefined): Promise<string> {
  if (user === undefined) return tmpdir();
  for (const folder of [tmpdir(), '/tmp', '/var/tmp']) {
    if (await isReachableByOthers(folder).catch(() => false)) return folder;
  }
  throw new ServiceError(
    'EOS_SERVICE_UNAVAILABLE',
    `no temporary folder that the user ${user.name} can reach`,
  );
}
