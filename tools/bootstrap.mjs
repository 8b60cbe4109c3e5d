/**
 * Runs a command of this repository on a machine that has nothing but Node: installs the dependencies where they are
 * missing or older than the lock file, builds what has changed, then runs the command behind `--`.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const options = {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, PATH: join(root, 'node_modules', '.bin') + delimiter + process.env.PATH },
  shell: process.platform === 'win32',
};

function run(command, args) {
  return spawnSync(command, args, options);
}

/**
 * Runs the command that all this is for, and ends as it does. A Ctrl-C reaches it by itself, and what it has to tidy up it
 * does before the prompt is back; other signals are passed on.
 */
function runToTheEnd(command, args) {
  const child = spawn(command, args, options);
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => fail(command, { error }));
  child.on('exit', (code) => process.exit(code ?? 1));
}

function fail(step, result) {
  console.error(`${step} failed${result.error ? `: ${result.error.message}` : ''}`);
  process.exit(result.status ?? 1);
}

function dependenciesAreCurrent() {
  const installed = join(root, 'node_modules', '.package-lock.json');
  const lock = join(root, 'package-lock.json');
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs;
}

if (!dependenciesAreCurrent()) {
  const quiet = process.stdout.isTTY ? [] : ['--loglevel=error'];
  const result = run('npm', ['ci', '--ignore-scripts', ...quiet]);
  if (result.status !== 0) fail('npm ci', result);
}

const separator = process.argv.indexOf('--');
const [command, ...args] = process.argv.slice(separator + 1);
if (command !== 'eslint' && command !== 'prettier') {
  const result = run('tsc', ['-b']);
  if (result.status !== 0) fail('tsc -b', result);
}
runToTheEnd(command, args);
