/**
 * Runs tests, lint, types, package checks and the quickstart both ways, one after the other, and sums up. A check that is no test
 * suite counts as one. Goes on after a failure, so that one run shows all of them, and repeats right before the last line what failed.
 */
import { spawn } from 'node:child_process';
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

/** For what hangs: all is done long before. */
const TESTS_TIMEOUT_MS = 40 * 60_000;
const CHECK_TIMEOUT_MS = 10 * 60_000;
const LAST_WORDS_MS = 5_000;

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

/** Runs a command, its output shown as it comes and kept. One that hangs is ended with all that it has started, and has failed. */
async function run(command, args, timeoutMs = CHECK_TIMEOUT_MS) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const [stdout, both] = [[], []];
  child.stdout.on('data', (bytes) => stdout.push(bytes));
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes) => both.push(bytes));
    stream.pipe(process.stdout, { end: false });
  }
  const timer = setTimeout(() => {
    both.push(Buffer.from(`\nended after ${timeoutMs / 60_000} minutes\n`));
    process.kill(-child.pid, 'SIGKILL');
  }, timeoutMs);
  const status = await new Promise((resolve) => {
    child.once('error', (error) => {
      both.push(Buffer.from(error.message));
      resolve(1);
    });
    // A service that was left behind may hold the pipes open for good.
    child.once('exit', (code) => setTimeout(resolve, LAST_WORDS_MS, code ?? 1));
    child.once('close', (code) => resolve(code ?? 1));
  });
  child.stdout.destroy();
  child.stderr.destroy();
  clearTimeout(timer);
  const text = (chunks) => Buffer.concat(chunks).toString();
  return { status, stdout: text(stdout), output: text(both) };
}

async function check(name, command, args, judge = ({ status }) => status === 0) {
  console.log(`\n== ${name}`);
  const result = await run(command, args);
  writeFileSync(join(logs, `${name.replaceAll(/\W+/g, '-')}.log`), result.output);
  countCheck(name, judge(result), result.output);
}

async function tests() {
  console.log(`\n== tests, EOS_TEST_SEED=${seed}`);
  rmSync(results, { recursive: true, force: true });
  const all = ['run-many', '-t', 'test', '--parallel=2', '--skip-nx-cache', '--output-style=stream'];
  const { status, output } = await run('nx', all, TESTS_TIMEOUT_MS);
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
await tests();
await check('types', 'tsc', ['-b']);
await check('lint', 'eslint', ['.']);
await check('format', 'prettier', ['--check', '.', '--log-level=warn']);
for (const [name, ok, output] of await checkPackages()) {
  if (!ok) console.log(output);
  countCheck(name, ok, output);
}
const quickstart = join(root, 'tools/quickstart/dist/main.js');
await check('quickstart', 'node', [quickstart], ({ status, stdout }) => {
  return (
    status === 0 && /^exactly once: (\d+) of \1 rows, 0 lost, 0 duplicated, \d+ kills$/.test(lastLine(stdout))
  );
});
await check(
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
