import { spawn } from 'node:child_process';
import { delimiter } from 'node:path';

import { ServiceError } from '../errors.js';
import { fetchRequirement, findPython, missingForPython } from './packages.js';
import type { PythonRequirement } from './packages.js';

export interface RunOptions {
  /** What `main` gets; anything that JSON.stringify takes. */
  readonly input?: unknown;
  /** After so long the script is killed. Default 120,000. */
  readonly timeoutMilliseconds?: number;
}

/** A Python with packages. */
export interface Python {
  /**
   * Runs a script that defines `main(input)`, and resolves with what it returns, by way of JSON: unlike JSON's own, integers beyond
   * 2^53 do not survive, so return text for them. Bytes become hexadecimal text. What the script prints goes to the error output,
   * which is shown when it fails.
   * @throws ServiceError `EOS_SERVICE_FAILED` with the traceback
   */
  run(script: string, options?: RunOptions): Promise<unknown>;
  /** Kills the scripts that still run. */
  stop(): Promise<void>;
}

/**
 * Installs requirements into the cache, once on a machine, and gives a Python that has them.
 * @throws ServiceError `EOS_SERVICE_UNAVAILABLE` where there is no Python, or a package cannot be fetched
 */
export async function startPython(requirements: readonly PythonRequirement[] = []): Promise<Python> {
  const python = findPython();
  if (python === undefined) {
    throw new ServiceError('EOS_SERVICE_UNAVAILABLE', missingForPython() ?? 'there is no Python');
  }
  const folders: string[] = [];
  for (const requirement of requirements) folders.push(await fetchRequirement(python, requirement));
  const environment = { ...process.env, PYTHONPATH: folders.join(delimiter), PYTHONDONTWRITEBYTECODE: '1' };
  const running = new Set<() => Promise<void>>();
  return {
    async run(script, { input = null, timeoutMilliseconds = 120_000 } = {}) {
      const { result, kill } = execute(python, environment, { script, input }, timeoutMilliseconds);
      running.add(kill);
      try {
        return await result;
      } finally {
        running.delete(kill);
      }
    },
    async stop() {
      await Promise.all([...running].map((kill) => kill()));
    },
  };
}

/**
 * The answer goes to what was the standard output before anything could print there. The process ends without its packages' farewell:
 * that of delta-rs often aborts it.
 */
const WRAPPER = `
import json, os, sys
answer = os.dup(1)
os.dup2(2, 1)
task = json.load(sys.stdin)
names = {'__name__': 'script'}
exec(compile(task['script'], 'script', 'exec'), names)
def plain(value):
    if isinstance(value, (bytes, bytearray)): return value.hex()
    raise TypeError(f'{type(value).__name__} has no JSON: return text')
text = json.dumps(names['main'](task['input']), default=plain).encode()
while text: text = text[os.write(answer, text):]
sys.stdout.flush()
sys.stderr.flush()
os._exit(0)
`;

interface Execution {
  readonly result: Promise<unknown>;
  readonly kill: () => Promise<void>;
}

function execute(
  python: string,
  environment: NodeJS.ProcessEnv,
  task: object,
  milliseconds: number,
): Execution {
  const child = spawn(python, ['-c', WRAPPER], { env: environment, stdio: ['pipe', 'pipe', 'pipe'] });
  const [answer, errors]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => answer.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
  // It may end before it has read all; how it ended tells more.
  child.stdin.on('error', () => undefined);
  child.stdin.end(JSON.stringify(task));
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill('SIGKILL');
  }, milliseconds);
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(failure(isLate ? `after ${milliseconds} ms` : (signal ?? `with ${String(code)}`), errors));
    });
  }).finally(() => clearTimeout(timer));
  return {
    result: ended.then((): unknown => JSON.parse(Buffer.concat(answer).toString())),
    async kill() {
      child.kill('SIGKILL');
      await ended.catch(() => undefined);
    },
  };
}

function failure(ending: string, errors: readonly Buffer[]): ServiceError {
  const lines = Buffer.concat(errors).toString().trimEnd().split('\n').slice(-30).join('\n');
  return new ServiceError('EOS_SERVICE_FAILED', `the Python script ended ${ending}:\n${lines}`);
}
