/** Names of the files of a log, and the paths of data files in it. */
import { EosError } from '@eos/core';
import type { Version } from './actions.js';

/** Where a table is: the keys of its objects begin with `prefix`, which is empty or ends in `/`. */
export interface TablePlace {
  readonly prefix: string;
}

export const LOG_FOLDER = '_delta_log/';

/** What a name of the log stands for. */
export type LogName =
  | { readonly kind: 'commit'; readonly version: Version }
  /** Classic: one file, or part `part` of `parts`. */
  | { readonly kind: 'checkpoint'; readonly version: Version; readonly part: number; readonly parts: number }
  /** With a UUID in its name: only where the feature `v2Checkpoint` is on. */
  | { readonly kind: 'uuid-checkpoint'; readonly version: Version }
  /** A version's checksum, or several commits in one file, up to that one. */
  | { readonly kind: 'sidecar'; readonly version: Version };

const COMMIT = /^(\d{20})\.json$/;
const CHECKPOINT = /^(\d{20})\.checkpoint(?:\.(\d{10})\.(\d{10}))?\.parquet$/;
const UUID_CHECKPOINT = /^(\d{20})\.checkpoint\.[0-9a-f-]{36}\.(?:json|parquet)$/;
const SIDECAR = /^(?:(\d{20})\.crc|\d{20}\.(\d{20})\.compacted\.json)$/;

export function versionText(version: Version): string {
  return String(version).padStart(20, '0');
}

export function logPrefix({ prefix }: TablePlace): string {
  return `${prefix}${LOG_FOLDER}`;
}

export function commitKey(place: TablePlace, version: Version): string {
  return `${logPrefix(place)}${versionText(version)}.json`;
}

export function checkpointKey(place: TablePlace, version: Version): string {
  return `${logPrefix(place)}${versionText(version)}.checkpoint.parquet`;
}

export function checkpointPartKey(place: TablePlace, version: Version, part: number, parts: number): string {
  if (parts === 1) return checkpointKey(place, version);
  const digits = (number: number) => String(number).padStart(10, '0');
  return `${logPrefix(place)}${versionText(version)}.checkpoint.${digits(part)}.${digits(parts)}.parquet`;
}

export function lastCheckpointKey(place: TablePlace): string {
  return `${logPrefix(place)}_last_checkpoint`;
}

/** What the key of an object in the log stands for; undefined for anything else, such as a file within a folder of it. */
export function parseLogKey(place: TablePlace, key: string): LogName | undefined {
  const name = key.slice(logPrefix(place).length);
  const [, commit] = COMMIT.exec(name) ?? [];
  if (commit !== undefined) return { kind: 'commit', version: Number(commit) };
  const [, checkpoint, part = '1', parts = '1'] = CHECKPOINT.exec(name) ?? [];
  if (checkpoint !== undefined)
    return { kind: 'checkpoint', version: Number(checkpoint), part: Number(part), parts: Number(parts) };
  const [, v2] = UUID_CHECKPOINT.exec(name) ?? [];
  if (v2 !== undefined) return { kind: 'uuid-checkpoint', version: Number(v2) };
  const [, checksum, compacted] = SIDECAR.exec(name) ?? [];
  const sidecar = checksum ?? compacted;
  return sidecar === undefined ? undefined : { kind: 'sidecar', version: Number(sidecar) };
}

/** The path that the log has for a data file: a URI relative to the table. A colon would make a scheme of what is before it. */
export function encodeDataPath(path: string): string {
  return encodeURI(path).replace(/[?#:]/g, (letter) => encodeURIComponent(letter));
}

/**
 * The path of a data file below the table.
 * @throws EOS_SCHEMA for a path outside of the table (a shallow clone), EOS_FORMAT for one that is no URI
 */
export function decodeDataPath(path: string): string {
  if (/^[A-Za-z][A-Za-z0-9+.-]*:/.test(path) || path.startsWith('/')) {
    const message = `the table has a file outside of its folder (a shallow clone?), which this package does not read: ${path}`;
    throw new EosError('EOS_SCHEMA', message, { details: { path } });
  }
  try {
    return decodeURIComponent(path);
  } catch (cause) {
    throw new EosError('EOS_FORMAT', `the log has a path that is no URI: ${path}`, {
      cause,
      details: { path },
    });
  }
}

/** The key of a data file that the log names. Throws as {@link decodeDataPath} does. */
export function dataKey({ prefix }: TablePlace, path: string): string {
  return `${prefix}${decodeDataPath(path)}`;
}
