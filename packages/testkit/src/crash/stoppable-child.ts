import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { hasTag, RESUME_MESSAGE, STOP_VARIABLE, stopText, type Stop } from './stops.js';

export interface StoppableOptions {
  /** JavaScript to run: Node does not run TypeScript everywhere, so a built file. */
  readonly file: URL | string;
  readonly args?: readonly string[];
  /** Added to the environment of this process. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Options of Node, such as `--max-old-space-size=64`. */
  readonly nodeOptions?: readonly string[];
  /** Where to stop; absent: nowhere. The child uses `withCrashPoints(connector, stopWhereAsked())`. */
  readonly stopAt?: Stop;
  /** Called with every message that the child sends by `process.send`. */
  readonly onMessage?: (message: unknown) => void;
}

export interface StoppableChild {
  readonly pid: number;
  /** Resolves when the child stands at `stopAt`. Rejects, with the end of what it printed, if it ends before. */
  readonly stopped: Promise<void>;
  /** How it ended. Never rejects. */
  readonly ended: Promise<ChildEnd>;
  /** SIGKILL: the child gets no chance to tidy up. Resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGSTOP: the process stands still with its connections open, as a frozen machine does. Not on Windows. */
  freeze(): void;
  /** Ends `freeze`. */
  thaw(): void;
  /** Lets a child that stands at `stopAt` go on. */
  resume(): void;
}

export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last 64 KiB of what it wrote to standard output and standard error. */
  readonly output: string;
}

const MAX_OUTPUT = 1 << 16;

/**
 * Starts a writer in a process of its own, which can be killed exactly where it stands. It is killed as well when this process
 * ends.
 */
export function spawnStoppable(options: StoppableOptions): StoppableChild {
  const { file, args = [], environment = {}, nodeOptions = [], stopAt, onMessage } = options;
  const stop = stopAt === undefined ? '' : stopText(stopAt);
  const child = fork(file instanceof URL ? fileURLToPath(file) : file, args, {
    env: { ...process.env, ...environment, [STOP_VARIABLE]: stop },
    // Not those of this process, which may be a test runner's.
    execArgv: [...nodeOptions],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const output = lastOutputOf(child);
  const killChild = () => void child.kill('SIGKILL');
  process.once('exit', killChild);
  const ended = endOf(child, output).finally(() => process.off('exit', killChild));
  if (onMessage !== undefined) child.on('message', onMessage);
  const stopped = stopOf(child, ended, stop);
  stopped.catch(() => undefined);
  return {
    // Without a pid the process could not be started, which `ended` and `stopped` tell.
    pid: child.pid ?? 0,
    stopped,
    ended,
    kill: async () => {
      killChild();
      await ended;
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    resume: () => {
      if (child.connected) child.send(RESUME_MESSAGE);
    },
  };
}

function stopOf(child: ChildProcess, ended: Promise<ChildEnd>, stop: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.on('message', (message) => {
      if (hasTag(message, 'stopped')) resolve();
    });
    void ended.then(({ code, signal, output }) => {
      reject(
        new Error(
          `the child ended (${signal ?? `code ${String(code)}`}) before it reached ${stop || 'a stop'}:\n${output}`,
        ),
      );
    });
  });
}

function lastOutputOf(child: ChildProcess): () => string {
  let text = '';
  const append = (chunk: Buffer) => (text = (text + chunk.toString()).slice(-MAX_OUTPUT));
  child.stdout?.on('data', append);
  child.stderr?.on('data', append);
  return () => text;
}

async function endOf(child: ChildProcess, output: () => string): Promise<ChildEnd> {
  try {
    await once(child, 'close');
  } catch (error) {
    return { code: null, signal: null, output: String(error) };
  }
  return { code: child.exitCode, signal: child.signalCode, output: output() };
}
