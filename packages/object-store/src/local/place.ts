import { join } from 'node:path';
import type { Files } from './files.js';
import type { Folders } from './folders.js';
import { pathOfKey } from './key-paths.js';

/** Where a store of files is, and how it gets there. */
export interface Place {
  readonly files: Files;
  readonly folders: Folders;
  /** How long a write waits for one that seems to be dead. */
  readonly patienceMs: number;
}

export function objectPath({ folders }: Place, key: string): string {
  return join(folders.root, pathOfKey(key));
}
