/**
 * `visibility: 'listing'`: a data file is an upload that nobody sees until its commit is in the log, and is completed then. Completion rolls
 * forward: by the writer before its next commit, or by whoever claims the partition next, so that it is at most one commit behind.
 */
import { EosError, type PartitionId } from '@eos/core';
import type { DataFile } from '../files/data-files.js';
import type { TablePlace } from '../log/index.js';
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

/**
 * Makes the files of a commit visible.
 * @throws EOS_UNAVAILABLE, retryable: also where the store does not know an upload any more, which the next claim looks into
 */
export async function completeFiles({ store }: TablePlace, files: readonly DataFile[]): Promise<void> {
  const waiting = files.flatMap(({ upload }) => (upload === undefined ? [] : [upload]));
  const next = async (): Promise<void> => {
    for (let upload = waiting.shift(); upload !== undefined; upload = waiting.shift()) {
      const result = await store.complete(upload, { isKeyUnique: true });
      if (!result.stored) throw vanishedError(upload.key);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, waiting.length) }, next));
}

function vanishedError(key: string): EosError {
  const message = `the upload of ${key}, which is committed, is gone from the store before it was completed`;
  return new EosError('EOS_UNAVAILABLE', message, { retryable: true, details: { key } });
}
