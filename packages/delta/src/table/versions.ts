/** Versions of a table and when they were made. */
import { EosError } from '@eos/core';
import type { ObjectStore } from '@eos/object-store';
import type { CommitInfo, Version } from '../log/actions.js';
import { parseCommit } from '../log/parse-actions.js';
import { logPrefix, parseLogKey, type TablePlace } from '../log/paths.js';
import { readBody } from '../log/read-table.js';

export interface VersionTime {
  readonly version: Version;
  /** In milliseconds: of the commit itself where it has one, else of its file, and above those of earlier versions. */
  readonly timestamp: number;
}

/** Of the commits that are in the log, ascending. Memory: two numbers for each. */
export async function versionTimes(store: ObjectStore, place: TablePlace): Promise<readonly VersionTime[]> {
  const times: VersionTime[] = [];
  for await (const page of store.list({ prefix: logPrefix(place) })) {
    for (const { key, lastModified } of page) {
      const name = parseLogKey(place, key);
      if (name?.kind !== 'commit') continue;
      // Clocks and copies may set a later file back: the order of versions goes before.
      const least = (times.at(-1)?.timestamp ?? -Infinity) + 1;
      times.push({ version: name.version, timestamp: Math.max(lastModified.getTime(), least) });
    }
  }
  return times;
}

/**
 * The newest version that was made at a time or before it.
 * @throws EOS_CONFIG where the log does not reach back so far
 */
export async function versionAt(store: ObjectStore, place: TablePlace, timestamp: Date): Promise<Version> {
  const wanted = timestamp.getTime();
  if (Number.isNaN(wanted)) throw wrong('must be a valid Date');
  const times = await versionTimes(store, place);
  const [first] = times;
  if (first === undefined) throw wrong('there is no table');
  const exact = await inCommitTimes(store, place, times);
  let [low, high] = [-1, times.length - 1];
  // Times ascend: the last one that is not later.
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const entry = times[middle];
    if (entry !== undefined && (await exact(entry)) <= wanted) low = middle;
    else high = middle - 1;
  }
  const found = times[low];
  if (found !== undefined) return found.version;
  throw wrong(
    `the oldest version in the log, ${first.version}, was made later: ${new Date(await exact(first)).toISOString()}`,
  );
}

/** A table may write the time into its commits, from some version on. */
async function inCommitTimes(
  store: ObjectStore,
  place: TablePlace,
  times: readonly VersionTime[],
): Promise<(entry: VersionTime) => Promise<number>> {
  const timeOf = async ({ version, timestamp }: VersionTime) => {
    const body = await readBody(store, place, version);
    return (body && inCommitTimestamp(parseCommit(version, body).info)) ?? timestamp;
  };
  const newest = times.at(-1);
  const isUsed = newest !== undefined && (await timeOf(newest)) !== newest.timestamp;
  return isUsed ? timeOf : ({ timestamp }) => Promise.resolve(timestamp);
}

export function inCommitTimestamp(info: CommitInfo | undefined): number | undefined {
  const time = info?.['inCommitTimestamp'];
  return typeof time === 'number' ? time : undefined;
}

function wrong(problem: string): EosError {
  return new EosError('EOS_CONFIG', `timestamp: ${problem}`, { details: { option: 'timestamp' } });
}
