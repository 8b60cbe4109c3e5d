/**
 * Processor seconds of this process and of the server: a cross-check on a machine that does other things too. The server's can be
 * read on Linux only, where a process's children that have ended are counted with it.
 */
import { readdir, readFile } from 'node:fs/promises';

export interface ProcessorTime {
  /** Seconds of this process, user and system. */
  readonly client: number;
  /** Seconds of the server with all its backends; undefined where they cannot be read. */
  readonly server: number | undefined;
}

/** Linux counts in hundredths of a second, whatever its own clock does. */
const TICKS_PER_SECOND = 100;

/** The first process of the server that `backend` belongs to; undefined where there is no `/proc`. */
export async function postmasterOf(backend: number): Promise<number | undefined> {
  return (await readStat(backend))?.parent;
}

/** What was used so far. */
export async function processorTime(postmaster: number | undefined): Promise<ProcessorTime> {
  const { user, system } = process.cpuUsage();
  const client = (user + system) / 1e6;
  return { client, server: postmaster === undefined ? undefined : await treeSeconds(postmaster) };
}

/** What was used between two readings. */
export function elapsed(from: ProcessorTime, to: ProcessorTime): ProcessorTime {
  const server = from.server === undefined || to.server === undefined ? undefined : to.server - from.server;
  return { client: to.client - from.client, server };
}

/** Read again where a backend ended meanwhile: its time would be found neither with it nor with its parent. */
async function treeSeconds(postmaster: number): Promise<number | undefined> {
  for (;;) {
    const before = await readStat(postmaster);
    const seconds = await currentSeconds(postmaster);
    const after = await readStat(postmaster);
    if (before?.endedChildrenSeconds === after?.endedChildrenSeconds) return seconds;
  }
}

async function currentSeconds(postmaster: number): Promise<number | undefined> {
  const first = await readStat(postmaster);
  if (first === undefined) return undefined;
  const numbers = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const all = await Promise.all(numbers.map((name) => readStat(Number(name))));
  const alive = all.filter((stat) => stat?.parent === postmaster);
  return alive.reduce((sum, stat) => sum + (stat?.seconds ?? 0), first.seconds + first.endedChildrenSeconds);
}

interface Stat {
  readonly parent: number;
  readonly seconds: number;
  readonly endedChildrenSeconds: number;
}

async function readStat(pid: number): Promise<Stat | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  // The second field is the program's name in parentheses and may hold anything, so fields count from its end.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = (index: number) => Number(fields[index] ?? 0) / TICKS_PER_SECOND;
  return {
    parent: Number(fields[1]),
    seconds: ticks(11) + ticks(12),
    endedChildrenSeconds: ticks(13) + ticks(14),
  };
}
