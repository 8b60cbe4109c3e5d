import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

import { ServiceError } from '../errors.js';
import type { SystemUser } from './system-user.js';
import { guard } from './watchdog.js';

/** How to run a server. */
export interface LaunchOptions {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  /** The folder it runs in. */
  readonly directory: string;
  /** The user it runs as, when not the one of this process. */
  readonly user?: SystemUser | undefined;
  /** The file that its output is appended to. */
  readonly logFile: string;
  /** The signal by which the watchdog stops it when this process has gone. */
  readonly orphanSignal: NodeJS.Signals;
}

/** A server that runs as a child of this process, guarded by the watchdog. */
export interface ManagedProcess {
  readonly pid: number;
  readonly logFile: string;
  /** Whether it has not ended yet. */
  isRunning(): boolean;
  /** Sends a signal; does nothing when it has ended. */
  signal(signal: NodeJS.Signals): void;
  /** Waits for it to end; after `milliseconds` it is killed. */
  ended(milliseconds: number): Promise<void>;
}

/** Starts a server. The promise is fulfilled when the program runs, which is before it is ready. */
export async function launch(options: LaunchOptions): Promise<ManagedProcess> {
  const child = await spawnServer(options);
  const pid = child.pid;
  if (pid === undefined) throw new ServiceError('EOS_SERVICE_FAILED', `${options.command} has no process id`);

  const release = guard({ pid, signal: options.orphanSignal, remove: [] });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  void exited.then(release);
  // A test that forgets to stop its server must still be able to end; the watchdog then stops it.
  child.unref();

  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  return {
    pid,
    logFile: options.logFile,
    isRunning,
    signal: (signal) => void child.kill(signal),
    async ended(milliseconds) {
      if (!isRunning()) return;
      child.ref();
      const timer = setTimeout(() => child.kill('SIGKILL'), milliseconds);
      await exited;
      clearTimeout(timer);
    },
  };
}

async function spawnServer(options: LaunchOptions): Promise<ChildProcess> {
  // A file and not a pipe: nobody has to read it for the server to go on, and it outlives both.
  const log = await open(options.logFile, 'a');
  try {
    const child = spawn(options.command, options.arguments, {
      cwd: options.directory,
      env: options.environment ?? process.env,
      stdio: ['ignore', log.fd, log.fd],
      // Not in the terminal's foreground group: its Ctrl-C would stop the server in a way of its own.
      detached: process.platform !== 'win32',
      ...(options.user && { uid: options.user.uid, gid: options.user.gid }),
    });
    await once(child, 'spawn');
    return child;
  } catch (error) {
    throw new ServiceError('EOS_SERVICE_FAILED', `${options.command} cannot be run`, { cause: error });
  } finally {
    await log.close();
  }
}

/** Polls until `isReady`, and fails with the end of the log when the server ends or the time is over. */
export async function untilReady(
  server: ManagedProcess,
  isReady: () => Promise<boolean>,
  milliseconds: number,
): Promise<void> {
  const deadline = performance.now() + milliseconds;
  while (!(await isReady())) {
    if (server.isRunning() && performance.now() < deadline) {
      await delay(20);
      continue;
    }
    const what = server.isRunning() ? `was not ready after ${milliseconds} ms` : 'ended before it was ready';
    throw new ServiceError('EOS_SERVICE_FAILED', `the server ${what}:\n${await endOf(server.logFile)}`);
  }
}

async function endOf(logFile: string): Promise<string> {
  const text = await readFile(logFile, 'utf8').catch(() => '(no log)');
  return text.split('\n').slice(-30).join('\n').trim();
}
