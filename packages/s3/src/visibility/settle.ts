/**
 * What a claim does about a commit that it finds with uploads which may not be complete: it completes them; or, where the store has lost
 * uploads, takes the commit back, as long as nobody can have seen anything of it.
 */
import { EosError, type PartitionId, type Position } from '@eos/core';
import type { SealedUpload } from '@eos/object-store';
import type { Revocation } from '../log/entry.js';
import { readEntry, readState, type TablePlace } from '../log/index.js';
import { logKey } from '../log/keys.js';
import { recordOf, type LogState, type PendingCommit } from '../log/state.js';
import { completeFiles } from './completion.js';

/**
 * Completes a commit, which may be done again; or returns what takes it back.
 * @throws EOS_UNAVAILABLE, retryable; EOS_TARGET_CHANGED where a part of the commit is visible and the rest is gone
 */
export async function settleCommit(
  place: TablePlace,
  state: LogState,
  commit: PendingCommit,
): Promise<Revocation | undefined> {
  const found = await readEntry(place, commit.seq);
  if (found?.entry.kind !== 'commit')
    throw new EosError('EOS_FORMAT', `${logKey(place.prefix, commit.seq)} is no commit any more`);
  const { files } = found.entry;
  const uploads = files.flatMap(({ upload }) => (upload === undefined ? [] : [upload]));
  const alive = await aliveOf(place, uploads);
  const others = uploads.filter(({ id }) => !alive.has(id));
  const visible = await visibleOf(place, others);
  if (visible.length === others.length) {
    await completeFiles(
      place,
      files.filter(({ upload }) => upload !== undefined && alive.has(upload.id)),
    );
    return undefined;
  }
  // Nobody must complete the others from here on, not even a writer that is believed to be dead.
  if (visible.length === 0) await place.store.abortUploads(uploads);
  const seen = await visibleOf(place, uploads);
  if (seen.length > 0) throw halfVisible(place, commit, seen.length, uploads.length);
  return { seq: commit.seq, positions: await positionsWithout(place, state, commit) };
}

/** The ids of those that the store still has. Memory: those of one commit. */
async function aliveOf(
  { store, prefix }: TablePlace,
  uploads: readonly SealedUpload[],
): Promise<ReadonlySet<string>> {
  const wanted = new Set(uploads.map(({ id }) => id));
  const alive = new Set<string>();
  for await (const page of store.listUploads({ prefix }))
    for (const { id } of page) if (wanted.has(id)) alive.add(id);
  return alive;
}

async function visibleOf(
  { store }: TablePlace,
  uploads: readonly SealedUpload[],
): Promise<readonly SealedUpload[]> {
  const visible: SealedUpload[] = [];
  for (const upload of uploads) if ((await store.head(upload.key)) !== undefined) visible.push(upload);
  return visible;
}

/** Where the partitions of a commit stood before it, one epoch above where they stand now. */
async function positionsWithout(
  place: TablePlace,
  state: LogState,
  { seq, scope, partitions }: PendingCommit,
): Promise<ReadonlyMap<PartitionId, Position>> {
  const before = await readState(place, seq - 1n);
  return new Map(
    partitions.map((name): [PartitionId, Position] => {
      const [earlier, now] = [recordOf(before, scope, name), recordOf(state, scope, name)];
      if (earlier === undefined || now === undefined)
        throw new EosError(
          'EOS_FORMAT',
          `${logKey(place.prefix, seq)} commits a partition that nobody has claimed`,
        );
      return [name, { ...earlier.position, owner: now.position.owner, epoch: now.position.epoch + 1n }];
    }),
  );
}

function halfVisible({ prefix }: TablePlace, { seq }: PendingCommit, seen: number, all: number): EosError {
  return new EosError(
    'EOS_TARGET_CHANGED',
    `of the ${all} files of the commit ${logKey(prefix, seq)}, ${seen} are visible, and the uploads of others are gone from the store: ` +
      `something aborts uploads (a lifecycle rule?). Restore the table from a backup`,
    { details: { seq } },
  );
}
