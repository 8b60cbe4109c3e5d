import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { ServiceError } from '../errors.js';
import { findJava } from '../kafka/distribution.js';
import { cached, cachedFolder } from '../process/cache.js';
import { fetchWith, findProgram } from '../process/program.js';
import { findPython } from '../python/packages.js';
import type { S3Program } from './types.js';

const versitygwVersion = '1.8.0';
const motoVersion = '5.2.*';
const versitygwKey = `versitygw-${versitygwVersion}`;
const motoKey = 'moto-5.2';
const s3mockVersion = '5.2.0';
const s3mockKey = `s3mock-${s3mockVersion}`;

/** The program to start when none is asked for, or undefined when none can be had. */
export function availableProgram(): S3Program | undefined {
  return (['versitygw', 'moto'] as const).find(isAvailable);
}

/** What this machine lacks to start an object store, any or the one that is named; undefined where it lacks nothing. */
export function missingForS3(program?: S3Program): string | undefined {
  if (program === undefined ? availableProgram() !== undefined : isAvailable(program)) return undefined;
  const { versitygw, moto } = needed;
  if (program === undefined) return `neither ${versitygw} nor ${moto} is on the search path`;
  return `${needed[program]} is not on the search path`;
}

const needed = {
  versitygw: 'go (for versitygw)',
  moto: 'python3 (for moto)',
  s3mock: 'java with mvn (for s3mock)',
} as const;

function isAvailable(program: S3Program): boolean {
  switch (program) {
    case 'versitygw':
      return existsSync(cachedFolder(versitygwKey)) || findProgram('go') !== undefined;
    case 'moto':
      return existsSync(cachedFolder(motoKey)) || findPython() !== undefined;
    case 's3mock':
      if (findJava() === undefined) return false;
      return existsSync(cachedFolder(s3mockKey)) || findProgram('mvn') !== undefined;
  }
}

/** Builds versitygw with Go, unless it is in the cache; returns the program. */
export async function fetchVersitygw(): Promise<string> {
  const folder = await cached(versitygwKey, async (target) => {
    const go = findProgram('go');
    if (go === undefined) throw new ServiceError('EOS_SERVICE_UNAVAILABLE', 'go is not on the search path');
    const module = `github.com/versity/versitygw/cmd/versitygw@v${versitygwVersion}`;
    await fetchWith(go, ['install', module], { cwd: target, environment: { GOBIN: target } });
  });
  return join(folder, process.platform === 'win32' ? 'versitygw.exe' : 'versitygw');
}

/** Installs moto with pip, unless it is in the cache; returns the Python that has it. */
export async function fetchMoto(): Promise<string> {
  const folder = await cached(motoKey, async (target) => {
    const python = findPython();
    if (python === undefined)
      throw new ServiceError('EOS_SERVICE_UNAVAILABLE', 'python3 is not on the search path');
    // Not a virtual environment: it holds its own name, and could not be moved into place when it is complete.
    const packages = join(target, 'packages');
    await mkdir(packages);
    const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', packages];
    await fetchWith(python, [...install, `moto[server]==${motoVersion}`]);
  });
  return join(folder, 'packages');
}

/** How to run moto from the folder that `fetchMoto` returned. */
export function motoCommand(packages: string): { command: string; environment: NodeJS.ProcessEnv } {
  const command = findPython();
  if (command === undefined)
    throw new ServiceError('EOS_SERVICE_UNAVAILABLE', 'python3 is not on the search path');
  return { command, environment: { ...process.env, PYTHONPATH: packages } };
}

/** Fetches S3Mock with Maven, unless it is in the cache; returns its jar. */
export async function fetchS3Mock(): Promise<string> {
  const folder = await cached(s3mockKey, async (target) => {
    const maven = findProgram('mvn');
    if (maven === undefined)
      throw new ServiceError('EOS_SERVICE_UNAVAILABLE', 'mvn (Maven) is not on the search path');
    const artifact = `-Dartifact=com.adobe.testing:s3mock:${s3mockVersion}:jar:exec`;
    // A version that can copy a single artifact: Maven's own default for this plugin may be older.
    const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy';
    await fetchWith(maven, ['-q', '-B', goal, artifact, `-DoutputDirectory=${target}`]);
  });
  return join(folder, `s3mock-${s3mockVersion}-exec.jar`);
}
