import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

import { ServiceError } from '../errors.js';
import type { ManagedProcess } from './managed-process.js';

/** What can be done to a server that is one process. */
export interface SingleProcess {
  /** SIGKILL: what a crash of the machine's process looks like. What it stored stays, for `start` or `restart`. */
  readonly kill: () => Promise<void>;
  /** Starts it again at the same address, after `kill`. Does nothing while it runs. */
  readonly start: () => Promise<void>;
  /** Stops it in an orderly way, if it runs, and starts it again at the same address. */
  readonly restart: () => Promise<void>;
  /** Stops the process where it is: connections stay open, nothing answers. Not on Windows. */
  readonly freeze: () => Promise<void>;
  /** Lets a frozen server go on. */
  readonly thaw: () => Promise<void>;
}

const STOP_MILLISECONDS = 30_000;

/** The controls of the server that `run` starts, which is running as `first`. */
export function controlProcess(run: () => Promise<ManagedProcess>, first: ManagedProcess): SingleProcess {
  let server = first;
  const start = async (): Promise<void> => {
    if (!server.isRunning()) server = await run();
  };
  const send = async (signal: 'SIGSTOP' | 'SIGCONT'): Promise<void> => {
    if (process.platform === 'win32')
      throw new ServiceError('EOS_SERVICE_UNSUPPORTED', 'Windows cannot freeze a process');
    server.signal(signal);
    if (signal === 'SIGSTOP' && server.isRunning()) await untilStopped(server.pid);
  };
  return {
    async kill() {
      server.signal('SIGKILL');
      await server.ended(STOP_MILLISECONDS);
    },
    start,
    async restart() {
      if (process.platform !== 'win32') server.signal('SIGCONT');
      server.signal('SIGTERM');
      await server.ended(STOP_MILLISECONDS);
      await start();
    },
    freeze: () => send('SIGSTOP'),
    thaw: () => send('SIGCONT'),
  };
}

/** On a machine with much to do, threads run on for a while after the signal was sent. */
async function untilStopped(pid: number): Promise<void> {
  if (process.platform !== 'linux') {
    await delay(SETTLE_MILLISECONDS);
    return;
  }
  const end = performance.now() + STOP_MILLISECONDS;
  while (!(await areAllStopped(pid))) {
    if (performance.now() > end)
      throw new ServiceError('EOS_SERVICE_FAILED', `process ${pid} does not stop on SIGSTOP`);
    await delay(1);
  }
}

const SETTLE_MILLISECONDS = 100;

/** The state of a thread follows its name, which is in brackets. One that has just ended is left out. */
async function areAllStopped(pid: number): Promise<boolean> {
  const threads = await readdir(`/proc/${pid}/task`);
  const states = await Promise.all(
    threads.map(async (thread) => {
      const line = await readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8').catch(() => ') T');
      return line[line.lastIndexOf(')') + 2];
    }),
  );
  return states.every((state) => state === 'T');
}
