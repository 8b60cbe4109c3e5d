/** Which files a source has, and what their partitions are called. */
import type { Stats } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { EosError } from '../errors.js';
import type { FilePlace } from './file-identity.js';
import { unavailable } from './file-input.js';

/**
 * The files of `paths` in their order, those of a folder in the byte order of their path. Names that begin with a dot are left out
 * of a folder, links are followed.
 * @param root the folder that partition names start from; default: the one folder, or the one that all have in common
 * @throws EOS_CONFIG for a file that is not below `root`, EOS_SOURCE_UNAVAILABLE
 */
export async function listFiles(paths: readonly string[], root: string | undefined): Promise<FilePlace[]> {
  const entries = await Promise.all(paths.map((path) => entryAt(resolve(path))));
  const base = root === undefined ? commonFolder(entries) : resolve(root);
  const files = new Map<string, FilePlace>();
  for (const { path, isFolder } of entries) {
    const found = isFolder ? await filesBelow(path, []) : [path];
    for (const file of found) {
      const partition = partitionName(file, base);
      if (!files.has(partition)) files.set(partition, { path: file, partition });
    }
  }
  return [...files.values()];
}

interface Entry {
  readonly path: string;
  readonly isFolder: boolean;
}

async function entryAt(path: string): Promise<Entry> {
  let found: Stats;
  try {
    found = await stat(path);
  } catch (error) {
    throw unavailable({ path, partition: basename(path) }, error);
  }
  if (found.isFile() || found.isDirectory()) return { path, isFolder: found.isDirectory() };
  // Opening a pipe would wait for its writer, and it could not be read again.
  const message = `${path} is neither a file nor a folder; read a pipe with standardInput`;
  throw new EosError('EOS_CONFIG', message, { details: { path } });
}

function commonFolder(entries: readonly Entry[]): string {
  const [first = [], ...others] = entries.map(({ path, isFolder }) =>
    (isFolder ? path : dirname(path)).split(sep),
  );
  let length = first.length;
  for (const other of others) {
    const differs = first.findIndex((part, index) => part !== other[index]);
    if (differs !== -1) length = Math.min(length, differs);
  }
  // The first part is empty, or a drive: alone it is the root only with its separator.
  return first.slice(0, length).join(sep) + (length <= 1 ? sep : '');
}

function partitionName(file: string, base: string): string {
  const name = relative(base, file).split(sep).join('/');
  if (name !== '' && name !== '..' && !name.startsWith('../') && resolve(base, name) === file) return name;
  throw new EosError('EOS_CONFIG', `${file} is not below the root ${base}`, { details: { path: file } });
}

/** @param ancestors real paths of the folders that led here: a link back to one of them is not followed */
async function filesBelow(folder: string, ancestors: readonly string[]): Promise<string[]> {
  const real = await realpath(folder);
  if (ancestors.includes(real)) return [];
  const found: string[] = [];
  for (const name of await readdir(folder)) {
    if (name.startsWith('.')) continue;
    const entry = await entryAt(join(folder, name));
    if (entry.isFolder) found.push(...(await filesBelow(entry.path, [...ancestors, real])));
    else found.push(entry.path);
  }
  return ancestors.length > 0 ? found : inByteOrder(found);
}

/** The default order of strings is that of UTF-16 units, which differs from that of bytes beyond the basic plane. */
function inByteOrder(paths: readonly string[]): string[] {
  const keyed = paths.map((path) => ({ path, key: Buffer.from(path.split(sep).join('/')) }));
  return keyed.sort((left, right) => Buffer.compare(left.key, right.key)).map(({ path }) => path);
}
