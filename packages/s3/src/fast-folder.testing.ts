import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** In memory where there is such a thing: what a disk does to a commit is tested with the store of files. */
export function fastFolder(): string {
  return existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
}
