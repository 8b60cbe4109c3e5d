/** The tests of `@eos/postgres` on another version of PostgreSQL than the one from npm: that of Debian and its like. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const RESULTS = '.cache/test-results/postgres.json';

/** Runs them, and returns the exit code. */
export function testOnServer(version, seed) {
  const binaries = `/usr/lib/postgresql/${version}/bin`;
  if (!existsSync(join(binaries, 'postgres')) && !install(version)) {
    console.error(`there is no PostgreSQL ${version}: install the package postgresql-${version}`);
    return 1;
  }
  console.log(`PostgreSQL ${version}, seed ${seed}`);
  rmSync(RESULTS, { force: true });
  spawnSync('node', ['--experimental-vm-modules', '../../node_modules/jest/bin/jest.js', '--silent'], {
    cwd: 'packages/postgres',
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      CI: 'true',
      EOS_TEST_SEED: String(seed),
      EOS_TEST_POSTGRES_BINARIES: binaries,
      EOS_TEST_POSTGRES_URL: undefined,
    },
  });
  const { passed, failed } = JSON.parse(readFileSync(RESULTS, 'utf8'));
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

/** By the system's own packages, where that is allowed. */
function install(version) {
  if (process.getuid?.() !== 0) return false;
  const options = ['install', '-y', '--no-install-recommends', `postgresql-${version}`];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return spawnSync('apt-get', options, { stdio: ['ignore', 'inherit', 'inherit'], env }).status === 0;
}
