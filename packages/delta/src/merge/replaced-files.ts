/** What a commit does to the files of the table that it touches: by writing them again, or by deletion vectors. */
import { VectorFile } from '../deletion-vectors/vector-file.js';
import type { FilePlace, FileSettings } from '../files/data-file.js';
import type { TablePlan } from '../files/table-plan.js';
import type { AddFile } from '../log/actions.js';
import { dataKey } from '../log/paths.js';
import { looseStatistics } from '../statistics/file-statistics.js';
import { union } from './file-hits.js';
import { eachLimited } from './limited.js';
import { rewriteWithout } from './rewritten-file.js';
import type { TouchedFile } from './touched-files.js';

/** Kept from one attempt of a commit to the next: what is still needed is not made again. */
export interface Replacements {
  /** What takes the place of these files; those of which no row is left have nothing. */
  of(touched: readonly TouchedFile[]): Promise<readonly AddFile[]>;
  /** Keys of all that was written, and is not deleted yet. */
  keys(): readonly string[];
}

/** Files that are written again at once: while one waits for the store, another is encoded. */
const PARALLEL = 2;

export function rewritten(place: FilePlace, plan: TablePlan, settings: FileSettings): Replacements {
  const made = new Map<AddFile, AddFile | undefined>();
  const keyOf = (file: AddFile) => dataKey(place.place, file.path);
  return {
    async of(touched) {
      await forget(touched);
      const missing = touched.filter(({ file }) => !made.has(file));
      await eachLimited(missing, PARALLEL, async ({ file, rows }) => {
        made.set(file, await rewriteWithout(place, plan, settings, file, rows));
      });
      return touched.flatMap(({ file }) => made.get(file) ?? []);
    },
    keys: () => [...made.values()].flatMap((file) => (file === undefined ? [] : [keyOf(file)])),
  };

  /** Files that somebody else replaced meanwhile: no commit that names them was made, or will be. */
  async function forget(touched: readonly TouchedFile[]): Promise<void> {
    const needed = new Set(touched.map(({ file }) => file));
    for (const [file, replacement] of made) {
      if (needed.has(file)) continue;
      made.delete(file);
      if (replacement !== undefined) await place.store.delete([keyOf(replacement)]).catch(() => undefined);
    }
  }
}

/** One file of vectors for all. */
export function withVectors({ store, place }: FilePlace): Replacements {
  let last:
    | { readonly files: ReadonlySet<AddFile>; readonly adds: readonly AddFile[]; readonly key: string }
    | undefined;
  return {
    async of(touched) {
      if (last?.files.size === touched.length && touched.every(({ file }) => last?.files.has(file) === true))
        return last.adds;
      if (last !== undefined) await store.delete([last.key]).catch(() => undefined);
      const vectors = new VectorFile(store, place);
      const adds = touched.flatMap(({ file, rows, deleted, rowCount }) => {
        const gone = union(deleted, rows);
        if (gone.size >= rowCount) return [];
        const stats = looseStatistics(file.stats, rowCount);
        return [{ ...file, dataChange: true, deletionVector: vectors.add(gone), stats }];
      });
      await vectors.finish();
      last = { files: new Set(touched.map(({ file }) => file)), adds, key: vectors.key };
      return adds;
    },
    keys: () => (last === undefined ? [] : [last.key]),
  };
}
