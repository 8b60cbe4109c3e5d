import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';

/** What must happen when this process ends without having done it itself. */
export interface Guard {
  /** The process to stop. */
  readonly pid?: number;
  /** The signal that stops it. */
  readonly signal: NodeJS.Signals;
  /** Folders and files to remove afterwards. */
  readonly remove: readonly string[];
}

const script = fileURLToPath(new URL('../../watchdog.mjs', import.meta.url));
const guarded = new Set<number>();
let watchdog: ChildProcess | undefined;
let nextId = 0;

/**
 * Hands a process and its folders to the watchdog, a child process that outlives this one for as long as it takes to
 * clean up. Returns the function that takes them back, to be called once they were stopped and removed in the
 * ordinary way.
 */
export function guard(what: Guard): () => void {
  const id = nextId++;
  guarded.add(id);
  send({ id, guard: what });
  return () => {
    if (!guarded.delete(id)) return;
    send({ id, guard: null });
    if (guarded.size === 0) retire();
  };
}

function send(message: { id: number; guard: Guard | null }): void {
  watchdog ??= launch();
  watchdog.stdin?.write(`${JSON.stringify(message)}\n`);
}

/** Ends the watchdog, which has nothing left to do; the next guard starts another one. */
function retire(): void {
  watchdog?.stdin?.end();
  watchdog = undefined;
}

function launch(): ChildProcess {
  // In a session of its own: a Ctrl-C goes to the whole foreground group, and the watchdog must survive it.
  const child = spawn(process.execPath, [script], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    env: {},
  });
  child.on('error', () => {});
  child.stdin.on('error', () => {});
  // Neither the child nor its pipe may keep this process alive: its end is what the watchdog waits for.
  child.unref();
  if (child.stdin instanceof Socket) child.stdin.unref();
  return child;
}
