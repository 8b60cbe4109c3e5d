/**
 * Runs tests, lint, types, package checks and the quickstart both ways, one after the other, and sums up. A check that is no test
 * suite counts as one. Goes on after a failure, so that one run shows all of them.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkPackages } from './packages.mjs';

const root = process.cwd();
const logs = join(root, '.cache', 'ci');
const results = join(root, '.cache', 'test-results');
const total = { passed: 0, failed: 0 };

function count(name, passed, failed = 0) {
  total.passed += passed;
  total.failed += failed;
  console.log(`${failed === 0 ? 'ok    ' : 'FAILED'} ${name}`);
}

/** Runs a command, its output shown and kept. */
function run(command, args) {
  const { status, stdout } = spawnSync(command, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  process.stdout.write(stdout ?? '');
  return { status: status ?? 1, stdout: stdout ?? '' };
}

function check(name, command, args, judge = ({ status }) => status === 0) {
  console.log(`\n== ${name}`);
  const result = run(command, args);
  const ok = judge(result);
  writeFileSync(join(logs, `${name.replaceAll(/\W+/g, '-')}.log`), result.stdout);
  count(name, ok ? 1 : 0, ok ? 0 : 1);
}

function tests() {
  console.log('\n== tests');
  rmSync(results, { recursive: true, force: true });
  const { status } = run('nx', [
    'run-many',
    '-t',
    'test',
    '--parallel=1',
    '--skip-nx-cache',
    '--output-style=stream',
  ]);
  const suites = readResults();
  for (const [name, { passed, failed }] of suites)
    count(`tests of ${name}: ${passed} passed, ${failed} failed`, passed, failed);
  const counted = suites.reduce((sum, [, { failed }]) => sum + failed, 0);
  if (suites.length === 0 || (status !== 0 && counted === 0)) count('nx run-many -t test', 0, 1);
}

function readResults() {
  try {
    return readdirSync(results)
      .sort()
      .map((file) => [file.replace('.json', ''), JSON.parse(readFileSync(join(results, file), 'utf8'))]);
  } catch {
    return [];
  }
}

/** The last line that a program printed. */
const lastLine = (text) => text.trimEnd().split('\n').at(-1) ?? '';

mkdirSync(logs, { recursive: true });
tests();
check('types', 'tsc', ['-b']);
check('lint', 'eslint', ['.']);
check('format', 'prettier', ['--check', '.', '--log-level=warn']);
for (const [name, ok, output] of await checkPackages()) {
  if (!ok) console.log(output);
  count(name, ok ? 1 : 0, ok ? 0 : 1);
}
const quickstart = join(root, 'tools/quickstart/dist/main.js');
check('quickstart', 'node', [quickstart], ({ status, stdout }) => {
  return (
    status === 0 && /^exactly once: (\d+) of \1 rows, 0 lost, 0 duplicated, \d+ kills$/.test(lastLine(stdout))
  );
});
check(
  'quickstart --unsafe must lose or double rows',
  'node',
  [quickstart, '--unsafe'],
  ({ status, stdout }) => {
    return status === 1 && !lastLine(stdout).startsWith('exactly once');
  },
);

console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;
