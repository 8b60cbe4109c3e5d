import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The processes whose parent is `pid`. PostgreSQL has no grandchildren; each of its children is a group of its own. */
export async function childrenOf(pid: number): Promise<number[]> {
  const table = process.platform === 'linux' ? await readProcFolder() : await askPs();
  return table.filter(([, parent]) => parent === pid).map(([child]) => child);
}

type ProcessAndParent = readonly [pid: number, parent: number];

/** Small Linux images have no `ps`. */
async function readProcFolder(): Promise<ProcessAndParent[]> {
  const numbers = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(
    numbers.map((name) => readFile(`/proc/${name}/stat`, 'utf8').catch(() => '')),
  );
  // The second field is the program's name in parentheses and may hold anything, so fields count from its end.
  return stats.map((text, index) => [
    Number(numbers[index]),
    Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1]),
  ]);
}

async function askPs(): Promise<ProcessAndParent[]> {
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=']);
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .map(([pid = 0, parent = 0]) => [pid, parent]);
}
