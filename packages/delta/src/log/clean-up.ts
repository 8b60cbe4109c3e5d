/**
 * Deletes commits and checkpoints that the table need not keep any longer.
 * https://github.com/delta-io/delta/blob/master/PROTOCOL.md#metadata-cleanup
 */
import type { ObjectStore } from '@eos/object-store';
import type { Metadata, Version } from './actions.js';
import { logPrefix, parseLogKey, type TablePlace } from './paths.js';
import { logRetentionMs } from './retention.js';

const DAY_MS = 86_400_000;

interface LogEntry {
  readonly key: string;
  readonly version: Version;
}

/**
 * Deletes what lies in front of the newest checkpoint that is older than the retention; that checkpoint, its commit, and all behind it
 * stay. Times are those of the store; the boundary lies at the start of a day, as with other writers. Returns how many objects went.
 *
 * Memory: the names of what is older than the retention.
 */
export async function cleanUpLog(
  store: ObjectStore,
  place: TablePlace,
  metadata: Metadata,
  now: number,
): Promise<number> {
  if (metadata.configuration['delta.enableExpiredLogCleanup']?.toLowerCase() === 'false') return 0;
  const cutoff = Math.floor((now - logRetentionMs(metadata)) / DAY_MS) * DAY_MS;
  const expired = await expiredEntries(store, place, cutoff);
  const oldest = Math.min(...expired.commits);
  const last = Math.max(...expired.commits);
  const kept = Math.max(-1, ...expired.checkpoints.filter((version) => version <= last));
  // Oldest first: whoever finds the commit in front of a place gone knows that the place may be free again.
  const keys = expired.entries
    .filter(({ version }) => version < kept)
    .sort((left, right) => left.version - right.version)
    .map(({ key }) => key);
  if (keys.length === 0 || oldest >= kept) return 0;
  await store.delete(keys);
  return keys.length;
}

async function expiredEntries(
  store: ObjectStore,
  place: TablePlace,
  cutoff: number,
): Promise<{ entries: LogEntry[]; commits: Version[]; checkpoints: Version[] }> {
  const entries: LogEntry[] = [];
  const commits: Version[] = [];
  const parts = new Map<Version, { parts: number; found: number }>();
  for await (const page of store.list({ prefix: logPrefix(place) })) {
    for (const { key, lastModified } of page) {
      const name = parseLogKey(place, key);
      if (name === undefined) continue;
      // Times rise with versions: behind the first commit that is young enough, all are.
      if (lastModified.getTime() >= cutoff) {
        if (name.kind === 'commit') return { entries, commits, checkpoints: complete(parts) };
        continue;
      }
      entries.push({ key, version: name.version });
      if (name.kind === 'commit') commits.push(name.version);
      else if (name.kind === 'checkpoint') {
        const { found } = parts.get(name.version) ?? { found: 0 };
        parts.set(name.version, { parts: name.parts, found: found + 1 });
      }
    }
  }
  return { entries, commits, checkpoints: complete(parts) };
}

function complete(
  parts: ReadonlyMap<Version, { readonly parts: number; readonly found: number }>,
): Version[] {
  return [...parts].filter(([, { parts: all, found }]) => found >= all).map(([version]) => version);
}
