/**
 * Runs tests, lint, types, package checks and the quickstart both ways, one after the other, and sums up. A check that is no test
 * suite counts as one. Goes on after a failure, so that one run shows all of them, and repeats right before the last line what failed.
 */
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { checkPackages } from './packages.mjs';

const root = process.cwd();
const logs = join(root, '.cache', 'ci');
const results = join(root, '.cache', 'test-results');
const total = { passed: 0, failed: 0 };
/** What failed, to be said again at the end. */
const failures = [];
/** All that is random in this run. */
const seed = (process.env.EOS_TEST_SEED ??= String(randomInt(1, 2 ** 31)));

const SHOWN_LINES = 40;
const SHOWN_COLUMNS = 300;

function count(name, passed, failed = 0) {
  total.passed += passed;
  total.failed += failed;
  console.log(`${failed === 0 ? 'ok    ' : 'FAILED'} ${name}`);
}

/** Counts one that is no test, and keeps the end of what it printed where it failed. */
function countCheck(name, ok, output) {
  count(name, ok ? 1 : 0, ok ? 0 : 1);
  if (!ok) failures.push(`check: ${name}\n${linesOf(output).slice(-SHOWN_LINES).join('\n')}`);
}

function linesOf(output) {
  const lines = stripVTControlCharacters(output).trimEnd().split('\n');
  return lines.map((line) => line.slice(0, SHOWN_COLUMNS));
}

/** Runs a command, its output shown and kept. */
function run(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  const output = `${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}`;
  process.stdout.write(output);
  return { status: status ?? 1, stdout: stdout ?? '', output };
}

function check(name, command, args, judge = ({ status }) => status === 0) {
  console.log(`\n== ${name}`);
  const result = run(command, args);
  writeFileSync(join(logs, `${name.replaceAll(/\W+/g, '-')}.log`), result.output);
  countCheck(name, judge(result), result.output);
}

function tests() {
  console.log(`\n== tests, EOS_TEST_SEED=${seed}`);
  rmSync(results, { recursive: true, force: true });
  const { status, output } = run('nx', [
    'run-many',
    '-t',
    'test',
    '--parallel=2',
    '--skip-nx-cache',
    '--output-style=stream',
  ]);
  writeFileSync(join(logs, 'tests.log'), output);
  const suites = readResults();
  for (const [name, results] of suites) countTests(name, results);
  const silent = testedPackages().filter((name) => suites.every(([suite]) => suite !== name));
  for (const name of silent) countCheck(`tests of ${name}`, false, 'they left no results');
  const counted = suites.reduce((sum, [, { failed }]) => sum + failed, 0);
  if (status !== 0 && counted + silent.length === 0) countCheck('nx run-many -t test', false, output);
}

function testedPackages() {
  return ['packages', 'tools'].flatMap((parent) =>
    readdirSync(join(root, parent)).filter((name) => {
      const manifest = join(root, parent, name, 'package.json');
      return existsSync(manifest) && 'test' in (JSON.parse(readFileSync(manifest, 'utf8')).scripts ?? {});
    }),
  );
}

function countTests(name, { passed, failed, failures: failedTests }) {
  count(`tests of ${name}: ${passed} passed, ${failed} failed`, passed, failed);
  for (const { file, name: test, message } of failedTests) {
    const lines = linesOf(message).filter((line) => !/\/node_modules\/jest-/.test(line));
    const shown = lines.slice(0, SHOWN_LINES).join('\n');
    failures.push(`test: ${test}\n${file}, EOS_TEST_SEED=${seed}\n${shown}`);
  }
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
  countCheck(name, ok, output);
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

for (const failure of failures) console.log(`\nFAILED ${failure}`);
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;
