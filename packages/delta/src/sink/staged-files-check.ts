/**
 * Whether what a transaction staged is still there. VACUUM of another engine knows nothing of open transactions: it deletes whatever no
 * version names once it is older than the table's retention, a week by default.
 */
import { randomUUID } from 'node:crypto';
import { EosError } from '@eos/core';
import { vectorPlace } from '../deletion-vectors/descriptor.js';
import type { FilePlace } from '../files/data-file.js';
import type { CommitActions, Metadata } from '../log/actions.js';
import { dataKey } from '../log/paths.js';
import { fileRetentionMs } from '../log/retention.js';

/**
 * A transaction that began so little ago, by this process's clock, is not looked at, or a quarter of the retention where that is less: an
 * engine has to be forced to vacuum what is younger than the retention.
 */
const FRESH_MS = 600_000;

/** Where a table keeps files for less than twice as long, what is there is committed: nothing that is written could be young enough. */
const LEAST_AGE_MS = 60_000;

/** How many are asked for at once. */
const PARALLEL = 16;

type StagedFiles = Pick<CommitActions, 'adds' | 'removes' | 'changeFiles'>;

/**
 * Looks at the files of a transaction that took long, right before its commit: each must be there, and be younger than half the retention
 * (a minute at least), by the store's own times. What a VACUUM deletes between this look and the put is beyond it: the one risk that stays with a foreign
 * VACUUM, for which it would have to take half the retention from its listing to its deletes.
 * @param begunAt when the first file may have been written, in milliseconds
 * @throws EOS_UNAVAILABLE, retryable: the rows are read and written again
 */
export async function checkStagedFiles(
  { store, place }: FilePlace,
  metadata: Metadata,
  { adds, removes, changeFiles }: StagedFiles,
  begunAt: number,
): Promise<void> {
  const lasted = Date.now() - begunAt;
  // A clock that was set back says nothing.
  const retention = fileRetentionMs(metadata);
  if (lasted >= 0 && lasted < Math.min(FRESH_MS, retention / 4)) return;
  // A file that gets another deletion vector is one of the table: it may be as old as it likes.
  const before = new Set(removes.map(({ path }) => path));
  const written = [...adds, ...changeFiles].filter(({ path }) => !before.has(path));
  const keys = new Set(written.map(({ path }) => dataKey(place, path)));
  for (const { deletionVector } of adds) {
    const vector = deletionVector === undefined ? undefined : vectorPlace(place, deletionVector);
    if (vector?.kind === 'file') keys.add(vector.key);
  }
  const now = await timeOf({ store, place });
  const oldest = now - Math.max(retention / 2, LEAST_AGE_MS);
  const wanted = [...keys];
  for (let start = 0; start < wanted.length; start += PARALLEL) {
    const found = await Promise.all(
      wanted.slice(start, start + PARALLEL).map(async (key) => ({ key, entry: await store.head(key) })),
    );
    for (const { key, entry } of found) {
      if (entry === undefined) throw gone(key, 'is not there any more');
      if (entry.lastModified.getTime() < oldest)
        throw gone(key, 'is older than half the retention of the table');
    }
  }
}

/** The store's own time: that of an object which is stored now. */
async function timeOf({ store, place }: FilePlace): Promise<number> {
  const key = `${place.prefix}_eos/time/${randomUUID()}`;
  await store.put(key, new Uint8Array());
  const entry = await store.head(key);
  await store.delete([key]);
  return entry?.lastModified.getTime() ?? Date.now();
}

function gone(key: string, problem: string): EosError {
  const message = `the transaction took so long that its file ${key} ${problem}: its rows are written again`;
  return new EosError('EOS_UNAVAILABLE', message, { retryable: true, details: { key } });
}
