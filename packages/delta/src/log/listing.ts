/** What lies in a log, by listing it. */
import type { ObjectStore } from '@eos/object-store';
import type { Version } from './actions.js';
import { logPrefix, parseLogKey, versionText, type TablePlace } from './paths.js';
import type { Checkpoint } from './read-checkpoint.js';

export interface LogListing {
  /** Those of which all parts are there, ascending. */
  readonly checkpoints: readonly Checkpoint[];
  /** Of the commits that were listed; undefined where there are none. */
  readonly commits: { readonly first: Version; readonly last: Version } | undefined;
}

/**
 * Lists the log from a version on, without the commits in front of it. Memory: the checkpoints that are found.
 */
export async function listLog(store: ObjectStore, place: TablePlace, from: Version): Promise<LogListing> {
  const prefix = logPrefix(place);
  const parts = new Map<string, { readonly version: Version; readonly count: number; files: Part[] }>();
  let [first, last]: (Version | undefined)[] = [undefined, undefined];
  for await (const page of store.list({ prefix, startAfter: `${prefix}${versionText(from)}` })) {
    for (const { key, bytes } of page) {
      const name = parseLogKey(place, key);
      if (name?.kind === 'commit') {
        first ??= name.version;
        last = Math.max(last ?? 0, name.version);
      } else if (name?.kind === 'checkpoint') {
        const id = `${name.version}/${name.parts}`;
        const found = parts.get(id) ?? { version: name.version, count: name.parts, files: [] };
        found.files.push({ key, bytes });
        parts.set(id, found);
      }
    }
  }
  const checkpoints = [...parts.values()]
    .filter(({ count, files }) => files.length === count)
    .map(({ version, files }) => ({ version, files }))
    .sort((left, right) => left.version - right.version);
  return {
    checkpoints,
    commits: first === undefined || last === undefined ? undefined : { first, last },
  };
}

interface Part {
  readonly key: string;
  readonly bytes: number;
}
