/** Copies of the core and of this simulation, made of the sources as they are now, with or without one rule broken. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from '@swc/core';

/** Replaces a text in a source of the core, which must be there exactly once: a mutant that no longer fits its rule must not pass. */
export interface Patch {
  /** Below `packages/core/src`. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface SimulationRun {
  readonly passed: number;
  readonly failed: number;
  readonly output: string;
}

const CORE = fileURLToPath(new URL('../../../packages/core/src/', import.meta.url));
const SIMULATION = fileURLToPath(new URL('./', import.meta.url));
const CORE_PACKAGE = {
  name: '@eos/core',
  type: 'module',
  exports: { '.': './index.js', './simulation': './simulation.js' },
};

/** A folder with both, ready to run. */
export class Laboratory {
  private constructor(private readonly folder: string) {}

  /** @throws where a patch does not fit exactly once */
  static async open(patches: readonly Patch[] = []): Promise<Laboratory> {
    const folder = await mkdtemp(join(tmpdir(), 'eos-simulation-'));
    const core = join(folder, 'node_modules', '@eos', 'core');
    try {
      await writeSources(patched(await sourcesOf(CORE), patches), core);
      await writeFile(join(core, 'package.json'), JSON.stringify(CORE_PACKAGE));
      await writeSources(await sourcesOf(SIMULATION), folder);
      await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
    return new Laboratory(folder);
  }

  /** Runs schedules in a process of their own, until one fails. */
  async run(schedules: number, seed: number): Promise<SimulationRun> {
    const program = [join(this.folder, 'main.js'), '--schedules', String(schedules), '--seed', String(seed)];
    const child = spawn(process.execPath, program, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
    await once(child, 'close');
    const [, passed, failed] = /(\d+) passed, (\d+) failed\s*$/.exec(output) ?? [];
    if (passed === undefined) throw new Error(`the simulation ended without a result:\n${output}`);
    return { passed: Number(passed), failed: Number(failed), output };
  }

  async close(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

type Sources = ReadonlyMap<string, string>;

async function sourcesOf(folder: string): Promise<Sources> {
  const names = await readdir(folder, { recursive: true });
  const sources = names.filter((name) => name.endsWith('.ts') && !/\.(test|testing)\.ts$/.test(name));
  return new Map(
    await Promise.all(
      sources.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const),
    ),
  );
}

function patched(sources: Sources, patches: readonly Patch[]): Sources {
  const result = new Map(sources);
  for (const { file, find, replace } of patches) {
    const parts = result.get(file)?.split(find) ?? [];
    if (parts.length !== 2) throw new Error(`${file} holds ${parts.length - 1} times: ${find}`);
    result.set(file, parts.join(replace));
  }
  return result;
}

/** What was compiled already: most files are the same in every copy. */
const compiled = new Map<string, string>();

async function writeSources(sources: Sources, folder: string): Promise<void> {
  for (const [name, source] of sources) {
    const code = compiled.get(source) ?? (await compile(source));
    compiled.set(source, code);
    const path = join(folder, name.replace(/\.ts$/, '.js'));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, code);
  }
}

async function compile(source: string): Promise<string> {
  const { code } = await transform(source, {
    configFile: false,
    swcrc: false,
    jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
    module: { type: 'es6' },
  });
  return code;
}
