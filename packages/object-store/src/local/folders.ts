import { randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { codeOf, ifThere } from './file-errors.js';
import type { Files } from './files.js';
import { INTERNAL_FOLDER } from './key-paths.js';

/** How many folders are remembered as made; beyond, all are looked at again. */
const MAX_REMEMBERED = 10_000;
/** What a process that died left behind. A process that sleeps longer finds its file gone, and its write fails. */
const LEFTOVER_MS = 24 * 60 * 60 * 1_000;

/** The folders of a store: where objects and what is not yet one lie. */
export interface Folders {
  readonly root: string;
  /** A new name for a file or folder that is not yet anything. */
  newTemporary(): Promise<string>;
  /** The folder of claims, one for each key that is being replaced. */
  readonly claims: string;
  readonly uploads: string;
  /** Makes a folder and those above it, durably, where they are missing. */
  ensure(folder: string): Promise<void>;
}

export function foldersOf(files: Files, root: string): Folders {
  const internal = join(root, INTERNAL_FOLDER);
  const temporary = join(internal, 'temporary');
  const made = new Set<string>();
  let swept: Promise<void> | undefined;
  const ensure = async (folder: string): Promise<void> => {
    if (made.has(folder)) return;
    const parent = dirname(folder);
    if (folder !== root && parent !== folder) await ensure(parent);
    await makeFolder(files, folder);
    // Also where another process made it: it may not have come to this yet.
    if (folder !== root) await files.syncFolder(parent);
    if (made.size >= MAX_REMEMBERED) made.clear();
    made.add(folder);
  };
  return {
    root,
    claims: join(internal, 'claims'),
    uploads: join(internal, 'uploads'),
    ensure,
    async newTemporary() {
      await ensure(temporary);
      await (swept ??= sweep(files, temporary));
      return join(temporary, randomUUID());
    },
  };
}

async function makeFolder(files: Files, folder: string): Promise<void> {
  try {
    await files.makeFolder(folder);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return;
    if (codeOf(error) !== 'ENOENT') throw error;
    // Above the root, which may be anywhere.
    await makeFolder(files, dirname(folder));
    await makeFolder(files, folder);
  }
}

/** Frees what processes that died have left. That it is gone too early harms nobody: a name that is missing only fails a write. */
async function sweep(files: Files, folder: string): Promise<void> {
  for (const { name } of await files.entries(folder)) {
    const path = join(folder, name);
    const found = await ifThere(files.stat(path));
    if (found !== undefined && Date.now() - found.lastModified.getTime() > LEFTOVER_MS)
      await files.remove(path);
  }
}
