import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { ServiceError } from '../errors.js';
import { cached } from '../process/cache.js';
import { hasDebianPackages, unpackDebian } from '../process/debian.js';
import { fetchWith, findProgram } from '../process/program.js';

/** What a script may ask for. Each is installed by itself, with what it needs. */
export type PythonRequirement = 'pyarrow' | 'deltalake' | 'duckdb' | 'confluent-kafka' | 'pyspark';

/** Pinned, so that a reader does not change under a test. */
const versions: Readonly<Record<PythonRequirement, readonly string[]>> = {
  pyarrow: ['pyarrow==24.0.0'],
  deltalake: ['deltalake==1.6.6'],
  // The extension is a package too: DuckDB's own way to fetch it goes to a host that may not be reachable.
  duckdb: ['duckdb==1.5.5', 'duckdb-extension-delta==1.5.5'],
  'confluent-kafka': ['confluent-kafka==2.15.1'],
  pyspark: ['pyspark==4.0.1'],
};

const execute = promisify(execFile);

/** The program, or undefined. */
export const findPython = (): string | undefined => findProgram('python3') ?? findProgram('python');

/** What this machine lacks to run Python; undefined where it lacks nothing. Looks only at files. */
export function missingForPython(): string | undefined {
  return findPython() === undefined ? 'python3 is not on the search path' : undefined;
}

/** Installs a requirement, unless it is in the cache; returns the folder that belongs into `PYTHONPATH`. */
export async function fetchRequirement(python: string, requirement: PythonRequirement): Promise<string> {
  const wanted = versions[requirement];
  // Compiled packages are made for one version of Python.
  const key = ['python', await tagOf(python), ...wanted.map((each) => each.replace('==', '-'))].join('-');
  const folder = await cached(key, async (target) => {
    // Not a virtual environment: Debian's Python makes none without a further package, and it holds its own name, so that it could
    // not be moved into place when it is complete.
    const packages = join(target, 'packages');
    await mkdir(packages);
    const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--only-binary=:all:'];
    // Spark's package is Java and plain Python, and comes as source only.
    if (requirement === 'pyspark') install.push('--no-binary=pyspark');
    await fetchWith(python, [...install, '--target', packages, ...wanted], {
      environment: await pipEnvironment(python),
    });
  });
  return join(folder, 'packages');
}

/** Such as `cpython-311-x64`. */
async function tagOf(python: string): Promise<string> {
  const program = 'import sys; print(sys.implementation.cache_tag)';
  try {
    const { stdout } = await execute(python, ['-c', program]);
    return `${stdout.trim()}-${process.arch}`;
  } catch (error) {
    throw new ServiceError('EOS_SERVICE_UNAVAILABLE', `${python} does not run`, { cause: error });
  }
}

/** Debian's Python may come without pip: then that of Debian's package is used, unpacked and not installed. */
async function pipEnvironment(python: string): Promise<NodeJS.ProcessEnv> {
  const hasPip = await execute(python, ['-m', 'pip', '--version']).then(
    () => true,
    () => false,
  );
  if (hasPip) return {};
  if (!hasDebianPackages()) {
    throw new ServiceError(
      'EOS_SERVICE_UNAVAILABLE',
      `${python} has no pip, and there is no apt-get to fetch it with`,
    );
  }
  const folder = await cached('python-pip-debian', (target) => unpackDebian(['python3-pip'], target));
  return { PYTHONPATH: join(folder, 'usr', 'lib', 'python3', 'dist-packages') };
}
