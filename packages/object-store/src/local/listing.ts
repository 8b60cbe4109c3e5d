import { join } from 'node:path';
import { compareKeys } from '../keys.js';
import type { ObjectEntry } from '../object-store.js';
import { ifThere } from './file-errors.js';
import type { Files } from './files.js';
import { INTERNAL_FOLDER, segmentOf } from './key-paths.js';

export interface Selection {
  readonly prefix: string;
  readonly startAfter: string | undefined;
  readonly pageSize: number;
}

/** What a name in a folder leads to: the key of an object, or what the keys below a folder begin with. */
interface Named {
  readonly name: string;
  readonly isFolder: boolean;
  readonly key: string;
}

/** Walks the folders in the order of keys. Memory holds the names of the folders on the way down, and one page. */
export async function* listFiles(
  files: Files,
  root: string,
  selection: Selection,
): AsyncGenerator<readonly ObjectEntry[]> {
  let page: ObjectEntry[] = [];
  for await (const entry of walk(files, root, '', selection)) {
    page.push(entry);
    if (page.length < selection.pageSize) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

async function* walk(
  files: Files,
  folder: string,
  above: string,
  selection: Selection,
): AsyncGenerator<ObjectEntry> {
  const entries = (await ifThere(files.entries(folder))) ?? [];
  const named: Named[] = [];
  for (const { name, isFolder } of entries) {
    if (above === '' && name === INTERNAL_FOLDER) continue;
    const segment = segmentOf(name, isFolder ? 'folder' : 'file');
    if (segment === undefined) continue;
    const key = isFolder ? `${above}${segment}/` : above + segment;
    if (isWanted(key, isFolder, selection)) named.push({ name, isFolder, key });
  }
  // A folder's keys follow its name with the slash, as the order of bytes has it.
  named.sort((a, b) => compareKeys(a.key, b.key));
  for (const { name, isFolder, key } of named) {
    const path = join(folder, name);
    if (isFolder) {
      yield* walk(files, path, key, selection);
      continue;
    }
    const found = await ifThere(files.stat(path));
    if (found?.isFile === true) yield { key, bytes: found.bytes, lastModified: found.lastModified };
  }
}

function isWanted(key: string, isFolder: boolean, { prefix, startAfter }: Selection): boolean {
  if (!isFolder)
    return key.startsWith(prefix) && (startAfter === undefined || compareKeys(key, startAfter) > 0);
  if (!key.startsWith(prefix) && !prefix.startsWith(key)) return false;
  return startAfter === undefined || startAfter.startsWith(key) || compareKeys(key, startAfter) > 0;
}
