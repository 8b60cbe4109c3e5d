/** What lies where below the prefix of a table. Names that begin with `_` are passed over by readers of data folders. */
import { EosError } from '@eos/core';

/** Everything that is no data file. */
export const EOS_FOLDER = '_eos/';

const LOG = `${EOS_FOLDER}log/`;
const SEGMENTS = `${EOS_FOLDER}segments/`;
const CHECKPOINTS = `${EOS_FOLDER}checkpoints/`;
const DIGITS = 20;

/** The slot of one log entry. */
export const logKey = (prefix: string, seq: bigint): string => `${prefix}${LOG}${seqText(seq)}.json`;

/** The entries of a window in one object, by its first. */
export const segmentKey = (prefix: string, first: bigint): string =>
  `${prefix}${SEGMENTS}${seqText(first)}.ndjson`;

/** The state of the log behind the entry `seq`. */
export const checkpointKey = (prefix: string, seq: bigint): string =>
  `${prefix}${CHECKPOINTS}${seqText(seq)}.json`;

/** The prefix of all checkpoints. */
export const checkpointPrefix = (prefix: string): string => prefix + CHECKPOINTS;

/** Names the newest checkpoint. */
export const hintKey = (prefix: string): string => `${prefix}${EOS_FOLDER}hint.json`;

/** Twenty digits, so that texts sort as numbers do. */
export function seqText(seq: bigint): string {
  return seq.toString().padStart(DIGITS, '0');
}

/** The sequence number of a checkpoint's key; undefined for any other key. */
export function seqOfCheckpointKey(prefix: string, key: string): bigint | undefined {
  const folder = checkpointPrefix(prefix);
  const match = key.startsWith(folder) ? /^(\d{20})\.json$/.exec(key.slice(folder.length)) : null;
  return match?.[1] === undefined ? undefined : BigInt(match[1]);
}

/**
 * The sequence number that the name of a data file carries; undefined where a file was not written by Eos.
 * @param path the key below the prefix
 */
export function seqOfDataPath(path: string): bigint | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const match = /^(\d{20})-/.exec(name);
  return match?.[1] === undefined ? undefined : BigInt(match[1]);
}

/**
 * A prefix as it is used: empty, or ending in `/`.
 * @throws EOS_CONFIG for what is no prefix, or would lie inside of Eos' own folder
 */
export function checkPrefix(prefix: unknown): string {
  if (prefix === undefined || prefix === '') return '';
  if (typeof prefix !== 'string' || prefix.startsWith('/'))
    throw wrongPrefix(prefix, 'must be the path of a folder in the store, without a slash in front');
  const used = prefix.endsWith('/') ? prefix : `${prefix}/`;
  if (
    used
      .split('/')
      .slice(0, -1)
      .some((name) => ['', '.', '..'].includes(name))
  )
    throw wrongPrefix(prefix, 'has a segment that is empty, "." or ".."');
  if (`/${used}`.includes(`/${EOS_FOLDER}`)) throw wrongPrefix(prefix, `lies in a folder ${EOS_FOLDER}`);
  return used;
}

function wrongPrefix(prefix: unknown, problem: string): EosError {
  const shown = typeof prefix === 'string' ? JSON.stringify(prefix) : typeof prefix;
  return new EosError('EOS_CONFIG', `prefix ${shown} ${problem}`, { details: { option: 'prefix' } });
}
