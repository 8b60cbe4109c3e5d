/** Which files a source has, and what their partitions are called. */
import type { Stats } from 'node:fs';
import { readdir, readlink, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { EosError, messageOf } from '../errors.js';
import type { FilePlace } from './file-identity.js';
import { unavailable } from './file-input.js';

export interface FileListOptions {
  /** The folder that partition names start from; undefined: the one folder that `paths` name, or that their files lie in. */
  readonly root: string | undefined;
  /** How the name of a file of a folder must end, one of these; none: as it likes. */
  readonly extensions: readonly string[];
}

/**
 * The files of `paths` in their order, those of a folder in the byte order of their path. Names that begin with a dot or an
 * underscore are left out of a folder, links are followed. A path that is listed twice is one file.
 * @throws EOS_CONFIG for a file that is not below `root`, for paths that need one, and for a file that has two paths;
 * EOS_SOURCE_UNAVAILABLE
 */
export async function listFiles(paths: readonly string[], options: FileListOptions): Promise<FilePlace[]> {
  const entries = await Promise.all(paths.map((path) => entryAt(resolve(path))));
  const base = options.root === undefined ? onlyFolder(entries) : resolve(options.root);
  const files = new Map<string, FilePlace>();
  for (const { path, isFolder } of entries) {
    const found = isFolder ? await filesBelow(path, options.extensions, []) : [path];
    for (const file of found) {
      const partition = partitionName(file, base);
      if (!files.has(partition)) files.set(partition, { path: file, partition });
    }
  }
  await checkLinks(files.values());
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
    throw await unreachable(path, error);
  }
  if (found.isFile() || found.isDirectory()) return { path, isFolder: found.isDirectory() };
  // Opening a pipe would wait for its writer, and it could not be read again.
  const message = `${path} is neither a file nor a folder; read a pipe with standardInput`;
  throw new EosError('EOS_CONFIG', message, { details: { path } });
}

async function unreachable(path: string, error: unknown): Promise<EosError> {
  const target = await readlink(path).catch(() => undefined);
  if (target === undefined) return unavailable({ path, partition: basename(path) }, error);
  const message = `${path} is a link to ${target}, which could not be read: ${messageOf(error)}`;
  return new EosError('EOS_SOURCE_UNAVAILABLE', message, {
    cause: error,
    retryable: false,
    details: { path },
  });
}

/** The folder that every one of the paths alone would be named from: only then names stay as they are when the list changes. */
function onlyFolder(entries: readonly Entry[]): string {
  const folders = new Set(entries.map(({ path, isFolder }) => (isFolder ? path : dirname(path))));
  const [folder = '', another] = folders;
  if (another === undefined) return folder;
  throw new EosError(
    'EOS_CONFIG',
    `path names several folders (${folder}, ${another}): give root, the folder below which files are named. Positions are stored ` +
      'under those names, and names from a folder that they have in common would change with the list, so that files were read again',
    { details: { option: 'root', paths: [...folders] } },
  );
}

/** One file under two names would be two partitions, and each of its rows be read twice. */
async function checkLinks(files: Iterable<FilePlace>): Promise<void> {
  const paths = new Map<string, string>();
  for (const file of files) {
    const real = await realpath(file.path).catch((error: unknown) => {
      throw unavailable(file, error);
    });
    const other = paths.get(real);
    if (other !== undefined) {
      const message = `${other} and ${file.path} are the same file through a link: its rows would be read twice`;
      throw new EosError('EOS_CONFIG', message, { details: { paths: [other, file.path], file: real } });
    }
    paths.set(real, file.path);
  }
}

function partitionName(file: string, base: string): string {
  const name = relative(base, file).split(sep).join('/');
  if (name !== '' && name !== '..' && !name.startsWith('../') && resolve(base, name) === file) return name;
  throw new EosError('EOS_CONFIG', `${file} is not below the root ${base}`, { details: { path: file } });
}

/** @param ancestors real paths of the folders that led here: a link back to one of them is not followed */
async function filesBelow(
  folder: string,
  extensions: readonly string[],
  ancestors: readonly string[],
): Promise<string[]> {
  const real = await realpath(folder);
  if (ancestors.includes(real)) return [];
  const found: string[] = [];
  for (const name of await readdir(folder)) {
    if (name.startsWith('.') || name.startsWith('_')) continue;
    const entry = await entryAt(join(folder, name));
    if (entry.isFolder) found.push(...(await filesBelow(entry.path, extensions, [...ancestors, real])));
    else if (extensions.length === 0 || extensions.some((one) => name.endsWith(one))) found.push(entry.path);
  }
  return ancestors.length > 0 ? found : inByteOrder(found);
}

/** The default order of strings is that of UTF-16 units, which differs from that of bytes beyond the basic plane. */
function inByteOrder(paths: readonly string[]): string[] {
  const keyed = paths.map((path) => ({ path, key: Buffer.from(path.split(sep).join('/')) }));
  return keyed.sort((left, right) => Buffer.compare(left.key, right.key)).map(({ path }) => path);
}
