/** Files below a table that somebody may still read. */
import { vectorPath } from '../deletion-vectors/descriptor.js';
import type { DeletionVector } from '../log/actions.js';
import { decodeDataPath } from '../log/paths.js';
import type { TableState } from '../log/table-state.js';

/**
 * Paths below the table: of live files, and of files that were removed a shorter time ago than the table keeps them, with their deletion vectors.
 * @param since removed then or later, in milliseconds
 */
export async function neededPaths(state: TableState, since: number): Promise<ReadonlySet<string>> {
  const { adds, removes } = await state.files.current();
  const needed = new Set<string>();
  const keep = (file: { readonly path: string; readonly deletionVector?: DeletionVector }) => {
    needed.add(decodeDataPath(file.path));
    if (file.deletionVector?.storageType === 'u') needed.add(vectorPath(file.deletionVector.pathOrInlineDv));
  };
  for (const add of adds.values()) keep(add);
  for (const remove of removes.values()) if ((remove.deletionTimestamp ?? Infinity) >= since) keep(remove);
  return needed;
}

/** Whether vacuum looks at a path at all: hidden folders are somebody else's, but for the change data feed. */
export function isVacuumed(path: string): boolean {
  const folders = path.split('/');
  const [first] = folders;
  return folders.every(
    (folder, at) => (at === 0 && first === '_change_data') || !/^[_.]/.test(folder) || folder.includes('='),
  );
}
