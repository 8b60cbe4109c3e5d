/** What the tests have in common: a folder of files, and the command in it, within this process or as one of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { eos } from './eos.js';

/** The built command: children run what users run. */
const BINARY = fileURLToPath(new URL('../bin/eos.js', import.meta.url));

const CORE = fileURLToPath(new URL('../../core', import.meta.url));

/** A folder of one test, with these files by their paths. */
export async function withFolder<T>(
  files: Readonly<Record<string, string>>,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'eos-cli-'));
  try {
    await writeFiles(folder, files);
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

/** Installs `@eos/core` in a folder, as a project has it beside what needs it. */
export async function installCore(folder: string): Promise<void> {
  await mkdir(join(folder, 'node_modules/@eos'), { recursive: true });
  await symlink(CORE, join(folder, 'node_modules/@eos/core'));
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CallOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly isTTY?: boolean;
  readonly stop?: AbortSignal;
}

/** Runs the command within this process. */
export async function callEos(
  folder: string,
  words: readonly string[],
  { env = {}, isTTY = false, stop = new AbortController().signal }: CallOptions = {},
): Promise<Ended> {
  const output = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof output) => ({
    isTTY,
    write: (text: string) => {
      output[name] += text;
    },
  });
  const code = await eos(words, { stdout: stream('stdout'), stderr: stream('stderr'), env, folder, stop });
  return { code, ...output };
}

/** A line of JSON that a run printed. */
export type Line = Readonly<Record<string, unknown>> & { readonly event?: unknown };

/** The command as a process of its own. */
export class Child {
  readonly process: ChildProcess;
  readonly #lines: Line[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #ended: Promise<Ended>;
  #hasEnded = false;

  constructor(folder: string, words: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const child = spawn(process.execPath, [BINARY, ...words], {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.process = child;
    const output = { stdout: '', stderr: '' };
    createInterface(child.stdout).on('line', (line) => {
      output.stdout += `${line}\n`;
      if (line.startsWith('{"')) this.#lines.push(readLine(line));
      this.#wake();
    });
    child.stderr.on('data', (data) => (output.stderr += String(data)));
    this.#ended = once(child, 'close').then(([code]: unknown[]) => {
      this.#hasEnded = true;
      this.#wake();
      return { code: typeof code === 'number' ? code : null, ...output };
    });
  }

  get lines(): readonly Line[] {
    return this.#lines;
  }

  /** Waits for the `count`th line of this event. */
  line(event: string, count = 1): Promise<Line> {
    return this.#found(() => this.#lines.filter((line) => line.event === event)[count - 1]);
  }

  /** Waits for so many lines of any kind. */
  async reports(count: number): Promise<void> {
    await this.#found(() => this.#lines[count - 1]);
  }

  async #found(find: () => Line | undefined): Promise<Line> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (this.#hasEnded) throw new Error(`it ended before: ${JSON.stringify(await this.#ended)}`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  ended(): Promise<Ended> {
    return this.#ended;
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

function readLine(text: string): Line {
  // Every line that a run prints is an object.
  return JSON.parse(text) as Line;
}
