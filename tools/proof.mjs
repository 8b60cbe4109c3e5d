/**
 * `npm run proof -- core | quickstart | verify | postgres | s3 | kafka | delta | <package>-tests | kafka-platformatic [--minutes 10] [--seed s]`: what takes longer than a test may. Prints the seed that
 * repeats it, and ends with `N passed, N failed`. `npm run proof -- postgres --server 15`: the tests of the package on that version;
 * `npm run proof -- kafka-tests --server 3.9.2` likewise, and every proof of Kafka.
 */
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { testOnServer } from './postgres-server.mjs';

const usage =
  'usage: npm run proof -- core | quickstart | verify | postgres | s3 | kafka | delta | <package>-tests | kafka-platformatic [--minutes 10] [--seed s]\n       npm run proof -- postgres --server 15 [--seed s]\n       npm run proof -- kafka | kafka-tests | kafka-platformatic --server 3.9.2 [--minutes 10] [--seed s]';

/** By name: what proves it for so many minutes. */
const proofs = {
  core: rounds((seed) => ['tools/simulation/dist/main.js', '--schedules', '50000', '--seed', seed]),
  quickstart: rounds((seed) => ['tools/quickstart/dist/main.js', '--seed', seed]),
  verify: rounds((seed) => ['tools/verify-proof.mjs', '--seed', seed]),
  's3-tests': allTests('s3'),
  'kafka-tests': allTests('kafka'),
  // The optional driver needs a newer Node than the rest.
  'kafka-platformatic': allTests('kafka', {
    node: ['npx', '--yes', 'node@24'],
    only: 'src/platformatic.conformance',
  }),
  'delta-tests': allTests('delta'),
  delta: whole((seed, minutes) => ['tools/delta-proof/dist/main.js', '--seed', seed, '--minutes', minutes]),
  s3: whole((seed, minutes) => ['tools/soak/dist/s3/main.js', '--seed', seed, '--minutes', minutes]),
  postgres: whole((seed, minutes) => ['tools/soak/dist/main.js', '--seed', seed, '--minutes', minutes]),
  kafka: whole((seed, minutes) => ['tools/soak/dist/kafka/main.js', '--seed', seed, '--minutes', minutes]),
};

/** One round after the other, each with a seed of its own, made from the first one. */
function rounds(commandOf) {
  return (seed, minutes) => {
    const end = performance.now() + minutes * 60_000;
    let [passed, failed] = [0, 0];
    for (let next = seed; performance.now() < end; next++) {
      const { status, stdout } = spawnSync('node', commandOf(String(next)), {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const ok = status === 0;
      if (ok) passed++;
      else failed++;
      const lastLine = stdout.trimEnd().split('\n').at(-1);
      console.log(ok ? `seed ${next}: ${lastLine}` : `seed ${next} FAILED\n${stdout}`);
    }
    console.log(`${passed} passed, ${failed} failed`);
    return failed === 0 ? 0 : 1;
  };
}

/** All tests of a package once, or those of one file, also what `npm test` leaves out because it takes minutes. */
function allTests(name, { node: [command, ...first] = ['node'], only } = {}) {
  const jest = ['--experimental-vm-modules', '../../node_modules/jest/bin/jest.js', '--silent'];
  return (seed) => {
    const results = `.cache/test-results/${name}.json`;
    rmSync(results, { force: true });
    spawnSync(command, [...first, ...jest, ...(only === undefined ? [] : [only])], {
      cwd: `packages/${name}`,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, CI: 'true', EOS_TEST_SLOW: '1', EOS_TEST_SEED: String(seed) },
    });
    const { passed, failed } = JSON.parse(readFileSync(results, 'utf8'));
    console.log(`${passed} passed, ${failed} failed`);
    return failed === 0 ? 0 : 1;
  };
}

/** One run of all the time, which ends with its own count. */
function whole(commandOf) {
  return (seed, minutes) =>
    spawnSync('node', commandOf(String(seed), String(minutes)), { stdio: ['ignore', 'inherit', 'inherit'] })
      .status ?? 1;
}

/** What a version of the server looks like, where another one can be asked for. */
function serverOf(name) {
  if (name === 'postgres') return /^\d\d$/;
  return name.startsWith('kafka') ? /^\d\.\d+\.\d+$/ : undefined;
}

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        minutes: { type: 'string', default: '10' },
        seed: { type: 'string' },
        server: { type: 'string' },
      },
    });
    const [name, ...rest] = positionals;
    const minutes = Number(values.minutes);
    const seed = values.seed === undefined ? randomInt(1, 2 ** 30) : Number(values.seed);
    const valid =
      Object.hasOwn(proofs, name ?? '') && rest.length === 0 && minutes > 0 && Number.isInteger(seed);
    const { server } = values;
    if (!valid || (server !== undefined && !serverOf(name)?.test(server))) throw new Error(usage);
    if (server !== undefined && name === 'postgres')
      return { prove: (first) => testOnServer(server, first), minutes, seed };
    if (server !== undefined) process.env.EOS_TEST_KAFKA_VERSION = server;
    return { prove: proofs[name], minutes, seed };
  } catch (error) {
    console.error(error.message);
    process.exit(2);
  }
}

const { prove, minutes, seed } = readArguments();
process.exitCode = prove(seed, minutes);
