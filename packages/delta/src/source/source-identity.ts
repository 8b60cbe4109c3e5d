/** What an offset in a table counts in, and whether the table is still the one. */
import { createHash } from 'node:crypto';
import { EosError, type PartitionId, type Position, type SourceIdentity } from '@eos/core';
import type { FilePlace } from '../files/data-file.js';
import type { Version } from '../log/actions.js';
import { readBody } from '../log/read-table.js';
import type { TableState } from '../log/table-state.js';
import { versionPlace, type VersionPlace } from './version-offset.js';

const KIND = 'delta-table';

/** Where reading starts. */
export interface Start {
  readonly place: VersionPlace;
  /** The version whose rows, all of them, stand for its changes and those before. */
  readonly snapshot: Version | undefined;
}

/** The version that was read last, by which a log that went back is told from the one that was read. */
export function identityOf(
  table: string,
  {
    version,
    digest,
    snapshot,
  }: { readonly version: Version; readonly digest: string; readonly snapshot: Version | undefined },
): SourceIdentity {
  return {
    kind: KIND,
    table,
    version: version.toString(),
    digest,
    ...(snapshot === undefined ? {} : { snapshot: snapshot.toString() }),
  };
}

export function digestOf(body: Uint8Array): string {
  return createHash('sha256').update(body).digest('hex').slice(0, 32);
}

/**
 * Where a stored position goes on.
 * @throws EOS_SOURCE_CHANGED where the table was made again, or its log went back
 */
export async function startAt(
  { store, place }: FilePlace,
  state: TableState,
  partition: PartitionId,
  position: Position,
): Promise<Start | undefined> {
  const { offset, source } = position;
  if (offset === null || source === null) return undefined;
  const { kind, table, version, digest, snapshot } = source;
  if (kind !== KIND || typeof version !== 'string' || typeof digest !== 'string')
    throw changed(
      partition,
      `the stored offset counts in ${JSON.stringify(kind ?? null)}, not in a Delta table`,
    );
  if (table !== state.metadata.id) throw changed(partition, 'it was made again: its id is another one');
  const last = Number(version);
  if (last > state.version)
    throw changed(partition, `version ${last} was read, and the newest is ${state.version}: it went back`);
  const body = await readBody(store, place, last);
  // Cleaned up: then what is needed may be there all the same.
  if (body !== undefined && digestOf(body) !== digest)
    throw changed(
      partition,
      `version ${last} is another one than the one that was read: it went back, and was written to since`,
    );
  return {
    place: versionPlace(offset),
    snapshot: typeof snapshot === 'string' ? Number(snapshot) : undefined,
  };
}

export function changed(partition: PartitionId, what: string, cause?: unknown): EosError {
  const message = `the Delta table of partition ${partition} is not the one that was read: ${what}. Restore it, or start over under another pipeline id`;
  return new EosError('EOS_SOURCE_CHANGED', message, { details: { partition }, cause });
}
