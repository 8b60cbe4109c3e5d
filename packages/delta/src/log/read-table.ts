/** A table as of a version: the newest checkpoint, and the commits behind it. */
import { EosError } from '@eos/core';
import type { ObjectStore } from '@eos/object-store';
import type { Version } from './actions.js';
import { malformed } from './fields.js';
import { readHint } from './last-checkpoint.js';
import { listLog, type LogListing } from './listing.js';
import { LiveFiles } from './live-files.js';
import { parseCommit } from './parse-actions.js';
import { commitKey, type TablePlace } from './paths.js';
import { readCheckpointFiles, readCheckpointState, type Checkpoint } from './read-checkpoint.js';
import { TableState } from './table-state.js';

export interface ReadTable {
  readonly state: TableState;
  /** Of the last commit, as it lies in the store; undefined where there is none. */
  readonly lastBody: Uint8Array | undefined;
}

/** Commits that are asked for at once. */
const PARALLEL = 16;

/**
 * Reads a table from its last checkpoint on: one hint, one listing, the checkpoint's columns without files, and each commit behind it.
 * A table that is not there has version -1.
 * @param until the version wanted; default the newest
 * @throws EOS_FORMAT where the log has a hole, EOS_CONFIG where there is no such version
 */
export async function readTable(store: ObjectStore, place: TablePlace, until?: Version): Promise<ReadTable> {
  try {
    return await read(store, place, until);
  } catch (error) {
    // The log may have been cleaned up from under this: then there is a newer checkpoint by now.
    if (!(error instanceof EosError) || error.code !== 'EOS_FORMAT') throw error;
    return await read(store, place, until);
  }
}

async function read(store: ObjectStore, place: TablePlace, until: Version | undefined): Promise<ReadTable> {
  const { listing, checkpoint } = await findStart(store, place, until);
  const base = checkpoint === undefined ? undefined : await readCheckpointState(store, checkpoint);
  const files = new LiveFiles(
    checkpoint === undefined ? undefined : () => readCheckpointFiles(store, checkpoint),
  );
  const state = new TableState(base, files);
  if (checkpoint === undefined && listing.commits !== undefined && listing.commits.first !== 0)
    throw malformed(`it begins with version ${listing.commits.first}, and there is no checkpoint`);
  const listed = Math.min(listing.commits?.last ?? -1, until ?? Infinity);
  let lastBody = await replay(store, place, state, listed);
  for (; until === undefined || state.version < until;) {
    const body = await readBody(store, place, state.version + 1);
    if (body === undefined) break;
    state.apply(parseCommit(state.version + 1, body));
    lastBody = body;
  }
  if (until !== undefined && state.version !== until) throw noSuchVersion(until, state.version);
  if (lastBody === undefined && state.version >= 0) lastBody = await readBody(store, place, state.version);
  return { state, lastBody };
}

async function findStart(
  store: ObjectStore,
  place: TablePlace,
  until: Version | undefined,
): Promise<{ readonly listing: LogListing; readonly checkpoint: Checkpoint | undefined }> {
  const hint = await readHint(store, place);
  const newest = ({ checkpoints }: LogListing) =>
    checkpoints.findLast(({ version }) => until === undefined || version <= until);
  if (hint !== undefined && (until === undefined || hint <= until)) {
    const listing = await listLog(store, place, hint);
    const checkpoint = newest(listing);
    if (checkpoint !== undefined) return { listing, checkpoint };
  }
  const listing = await listLog(store, place, 0);
  return { listing, checkpoint: newest(listing) };
}

/** Applies the commits behind the state, up to `last`, which are all there. */
async function replay(
  store: ObjectStore,
  place: TablePlace,
  state: TableState,
  last: Version,
): Promise<Uint8Array | undefined> {
  let lastBody: Uint8Array | undefined;
  while (state.version < last) {
    const first = state.version + 1;
    const count = Math.min(PARALLEL, last - state.version);
    const bodies = await Promise.all(
      Array.from({ length: count }, (_, index) => readBody(store, place, first + index)),
    );
    for (const [index, body] of bodies.entries()) {
      if (body === undefined) throw malformed(`version ${first + index} is missing, and ${last} is there`);
      state.apply(parseCommit(first + index, body));
      lastBody = body;
    }
  }
  return lastBody;
}

/** The commit file of a version; undefined where there is none. */
export async function readBody(
  store: ObjectStore,
  place: TablePlace,
  version: Version,
): Promise<Uint8Array | undefined> {
  return (await store.get(commitKey(place, version)))?.body;
}

function noSuchVersion(wanted: Version, newest: Version): EosError {
  const found = newest < 0 ? 'there is no table' : `the newest is ${newest}`;
  return new EosError('EOS_CONFIG', `the table has no version ${wanted}: ${found}`, {
    details: { option: 'version', wanted, newest },
  });
}
