import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

import { isRecord, ServiceError } from '../errors.js';

const execute = promisify(execFile);

/** The full name of a program on the search path, or undefined. */
export function findProgram(name: string): string | undefined {
  const suffixes = process.platform === 'win32' ? ['.exe', '.cmd', '.bat'] : [''];
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders
    .flatMap((folder) => suffixes.map((suffix) => join(folder, name + suffix)))
    .find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Runs a program that fetches or builds something. Its failure means that the service is not to be had here. */
export async function fetchWith(
  program: string,
  parameters: readonly string[],
  options: { readonly cwd?: string; readonly environment?: NodeJS.ProcessEnv } = {},
): Promise<void> {
  try {
    await execute(program, parameters, {
      cwd: options.cwd,
      env: { ...process.env, ...options.environment },
      maxBuffer: 64 * 1024 * 1024,
      // Windows runs `.cmd` files only through its shell.
      shell: /\.(cmd|bat)$/.test(program),
    });
  } catch (error) {
    const output = outputOf(error, 'stdout') + outputOf(error, 'stderr');
    const detail = output.trim().split('\n').slice(-15).join('\n');
    const message = `${program} ${parameters.join(' ')} failed:\n${detail}`;
    throw new ServiceError('EOS_SERVICE_UNAVAILABLE', message, { cause: error });
  }
}

/** What a program that failed has printed. */
export function outputOf(error: unknown, stream: 'stdout' | 'stderr'): string {
  const output = isRecord(error) ? error[stream] : undefined;
  return typeof output === 'string' ? output : '';
}
