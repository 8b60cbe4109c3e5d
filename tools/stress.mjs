/**
 * `npm run test:stress -- postgres --times 20`: the tests of one package again and again, each time with another seed, which is
 * printed: `EOS_TEST_SEED=<seed>` repeats that run. Ends with the sum of all runs.
 */
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const usage = 'usage: npm run test:stress -- <package> [--times 20] [--tests <pattern>]';

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { times: { type: 'string', default: '20' }, tests: { type: 'string' } },
    });
    const [name, ...rest] = positionals;
    const times = Number(values.times);
    if (name === undefined || rest.length > 0 || !Number.isInteger(times) || times < 1)
      throw new Error(usage);
    const folder = ['packages', 'tools'].map((parent) => join(parent, name)).find((path) => existsSync(path));
    if (folder === undefined) throw new Error(`there is no package ${name}`);
    return { name, times, tests: values.tests, folder };
  } catch (error) {
    console.error(error.message);
    process.exit(2);
  }
}

function runOnce({ name, folder, tests }, seed) {
  const jest = join('..', '..', 'node_modules', 'jest', 'bin', 'jest.js');
  const results = join('.cache', 'test-results', `${name}.json`);
  // Those of an earlier run must not stand for a run that crashed.
  rmSync(results, { force: true });
  const pattern = tests === undefined ? [] : ['--testPathPatterns', tests];
  const { status, stdout, stderr } = spawnSync(
    'node',
    ['--experimental-vm-modules', jest, '--silent', ...pattern],
    {
      cwd: folder,
      encoding: 'utf8',
      maxBuffer: 256 * 1024 * 1024,
      env: { ...process.env, CI: 'true', EOS_TEST_SEED: String(seed) },
    },
  );
  if (status !== 0) console.log(stdout + stderr);
  return existsSync(results) ? JSON.parse(readFileSync(results, 'utf8')) : { passed: 0, failed: 1 };
}

const options = readArguments();
const total = { passed: 0, failed: 0 };
for (let time = 1; time <= options.times; time++) {
  const seed = randomInt(1, 2 ** 31);
  const start = performance.now();
  const { passed, failed } = runOnce(options, seed);
  total.passed += passed;
  total.failed += failed;
  const seconds = ((performance.now() - start) / 1000).toFixed(0);
  console.log(
    `run ${time} of ${options.times}, seed ${seed}: ${passed} passed, ${failed} failed, ${seconds} s`,
  );
}
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;
