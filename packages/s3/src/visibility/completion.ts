/**
 * `visibility: 'listing'`: a data file is an upload that nobody sees until its commit is in the log, and is completed then. Completion rolls
 * forward: by the writer before its next commit, or by whoever claims the partition next, so that it is at most one commit behind.
 */
import { EosError, type PartitionId } from '@eos/core';
import type { DataFile } from '../files/data-files.js';
import { readEntry, type TablePlace } from '../log/index.js';
import { logKey } from '../log/keys.js';
import type { LogState, PendingCommit } from '../log/state.js';

/** Completions under way at a time. */
const AT_ONCE = 8;

/** The commits to these partitions whose uploads may not be complete. */
export function pendingOf(
  { pending }: LogState,
  scope: string,
  partitions: readonly PartitionId[],
): readonly PendingCommit[] {
  const wanted = new Set(partitions);
  return [...pending.values()].filter(
    (commit) => commit.scope === scope && commit.partitions.some((name) => wanted.has(name)),
  );
}

/** Completes the uploads of a commit that is in the log. Doing it again changes nothing. */
export async function completeCommit(place: TablePlace, seq: bigint): Promise<void> {
  const found = await readEntry(place, seq);
  if (found?.entry.kind !== 'commit')
    throw new EosError('EOS_FORMAT', `${logKey(place.prefix, seq)} is no commit any more`);
  await completeFiles(place, found.entry.files);
}

/**
 * Makes the files of a commit visible.
 * @throws EOS_UNAVAILABLE, retryable; EOS_TARGET_CHANGED where the store does not know an upload any more
 */
export async function completeFiles({ store }: TablePlace, files: readonly DataFile[]): Promise<void> {
  const waiting = files.flatMap(({ upload }) => (upload === undefined ? [] : [upload]));
  const next = async (): Promise<void> => {
    for (let upload = waiting.shift(); upload !== undefined; upload = waiting.shift()) {
      const result = await store.complete(upload);
      if (!result.stored) throw vanishedError(upload.key);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, waiting.length) }, next));
}

function vanishedError(key: string): EosError {
  return new EosError(
    'EOS_TARGET_CHANGED',
    `the upload of ${key}, which is committed, is gone from the store before it was completed: something aborts uploads (a lifecycle rule?)`,
    { details: { key } },
  );
}
