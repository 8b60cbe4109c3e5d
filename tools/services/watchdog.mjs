// @ts-check
/**
 * Runs as a process of its own, beside the process that started the services. It learns over its standard input which
 * processes and folders to look after; when that input closes, whatever the reason, it stops the processes and removes
 * the folders. A SIGKILL of the parent closes the pipe too, and no handler inside the parent could have seen that.
 *
 * Plain JavaScript on purpose: it must run from the sources (a test) as well as from `dist`, on every supported Node.
 *
 * @typedef {{ pid?: number, signal: NodeJS.Signals, remove: string[] }} Guard
 * @typedef {{ id: number, guard: Guard | null }} Message
 */
import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

const PATIENCE_MILLISECONDS = 8_000;

/** @type {Map<number, Guard>} */
const guards = new Map();

// A Ctrl-C in the terminal is the parent's affair: this process ends when the parent has.
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(signal, () => {});

for await (const line of createInterface({ input: process.stdin })) {
  /** @type {Message} */
  const { id, guard } = JSON.parse(line);
  if (guard === null) guards.delete(id);
  else guards.set(id, guard);
}
// Processes first: a server may belong to one guard and its folder to another.
await Promise.all([...guards.values()].map(stop));
for (const path of [...guards.values()].flatMap(({ remove }) => remove)) {
  await rm(path, { recursive: true, force: true, maxRetries: 5 }).catch(() => {});
}

/** @param {Guard} guard */
async function stop({ pid, signal }) {
  if (pid === undefined) return;
  // A frozen process cannot act on anything but SIGKILL until it is thawed.
  send(pid, 'SIGCONT');
  send(pid, signal);
  for (let waited = 0; isAlive(pid) && waited < PATIENCE_MILLISECONDS; waited += 50) await delay(50);
  send(pid, 'SIGKILL');
}

/**
 * @param {number} pid
 * @param {NodeJS.Signals} signal
 */
function send(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch {
    // Already gone, or a signal that this platform does not have.
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
