/** All keys of a transaction: as many as fit in memory, and runs of them on the local disk. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KeyColumns } from './key-columns.js';
import { KeyRun } from './key-run.js';

/** A run in memory ends when it takes so much: about a million keys of one integer. */
const RUN_BYTES = 32 * 1024 * 1024;

/** Memory: two runs of 32 MiB, and what a batch adds. */
export class KeyRuns {
  #current: KeyRun;
  #folder: string | undefined;
  /** Runs before the current one. */
  #saved: string[] = [];

  constructor(
    private readonly columns: KeyColumns,
    private readonly runBytes = RUN_BYTES,
  ) {
    this.#current = KeyRun.empty(columns);
  }

  /** The newest run. */
  get current(): KeyRun {
    return this.#current;
  }

  /** Begins a new run where the current one is full. Between batches only: within one, keys are told apart by it. */
  async makeRoom(): Promise<void> {
    if (this.#current.bytes < this.runBytes) return;
    this.#folder ??= await mkdtemp(join(tmpdir(), 'eos-delta-keys-'));
    const path = join(this.#folder, `${this.#saved.length}`);
    await this.#current.save(path);
    this.#saved.push(path);
    this.#current = KeyRun.empty(this.columns);
  }

  /** From the oldest to the newest. */
  async *all(): AsyncGenerator<KeyRun> {
    for (const path of this.#saved) yield await KeyRun.load(this.columns, path);
    yield this.#current;
  }

  /** Runs with those before them that have keys in common with them: `older` has the number that a key has there, or -1. */
  async *overlaps(): AsyncGenerator<{ readonly older: KeyRun; readonly numbers: Iterable<number> }> {
    for (const [index, path] of this.#saved.entries()) {
      const older = await KeyRun.load(this.columns, path);
      for (const later of this.#saved.slice(index + 1))
        yield { older, numbers: common(older, await KeyRun.load(this.columns, later)) };
      yield { older, numbers: common(older, this.#current) };
      await older.save(path);
    }
  }

  /** Deletes what lies on the disk. Never throws. */
  async close(): Promise<void> {
    this.#saved = [];
    if (this.#folder !== undefined)
      await rm(this.#folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Numbers that keys of a later run have in an older one. */
function* common(older: KeyRun, later: KeyRun): Generator<number> {
  const find = older.keys.finder(later.keys.values());
  for (let key = 0; key < later.keys.size; key++) {
    const number = find(key);
    if (number >= 0) yield number;
  }
}
