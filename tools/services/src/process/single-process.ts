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
  const send = (signal: 'SIGSTOP' | 'SIGCONT'): Promise<void> => {
    if (process.platform === 'win32') {
      const error = new ServiceError('EOS_SERVICE_UNSUPPORTED', 'Windows cannot freeze a process');
      return Promise.reject(error);
    }
    server.signal(signal);
    return Promise.resolve();
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
