/** A Delta table as a source: its rows, and then what every version does to them. */
import {
  EosError,
  type Columns,
  type InferRow,
  type PartitionId,
  type Positions,
  type RowSchema,
  type Source,
  type SourceLag,
} from '@eos/core';
import type { FilePlace } from '../files/data-file.js';
import type { Commit, Version } from '../log/actions.js';
import { parseCommit } from '../log/parse-actions.js';
import { checkReadable } from '../log/protocol.js';
import { readBody, readTable } from '../log/read-table.js';
import { tableLocation, type DeltaPlaceOptions, type TableLocation } from '../options.js';
import { rowCountOf } from '../statistics/file-bounds.js';
import type { TableRow } from '../table/file-rows.js';
import { startAt, type Start } from './source-identity.js';
import { TableChangesReader } from './table-reader.js';
import { versionPlace } from './version-offset.js';

export interface DeltaSourceOptions<C extends Columns = Columns> extends DeltaPlaceOptions {
  /** Which columns to read, as the table has them. Default: all that it has at each version. */
  readonly schema?: RowSchema<C>;
  /**
   * What versions may do to rows: `append` (default): add some; another one stops the pipeline. `retract`, or `upsert` for a sink with the key
   * of the table: take some away too.
   */
  readonly changelog?: 'append' | 'upsert' | 'retract';
  /** A first run begins with the changes behind this version. Default: with the rows that the table has now; -1 for all versions. */
  readonly after?: Version;
  /** Whether to wait for more at the end of the log. Default false: it ends there. */
  readonly follow?: boolean;
  /** With `follow`: milliseconds between two looks behind the end. Default 1,000. */
  readonly pollMs?: number;
  /** Name of the partition. Default `0`. */
  readonly name?: string;
}

interface SourceSettings {
  readonly location: TableLocation;
  readonly partition: PartitionId;
  readonly schema: RowSchema | undefined;
  readonly changelog: 'append' | 'upsert' | 'retract';
  readonly after: Version | undefined;
  readonly pollMs: number | undefined;
}

/**
 * The rows of a table, whoever writes it, and the changes of each version behind: its change data feed where it has one, else the rows of the files that
 * a version removed (`-D`) and added (`+I`). An offset is a version and a change within it, so that batches may end anywhere.
 *
 * A reader that is so far behind that clean-up of the log or a VACUUM has taken what it needs is told (EOS_SOURCE_CHANGED), and never passes
 * rows over.
 * @throws EOS_CONFIG; its readers EOS_SOURCE_CHANGED, EOS_SOURCE_FORMAT, EOS_SCHEMA and what the store throws
 * @example
 * const source = deltaSource({ folder: 'warehouse/flights', changelog: 'retract', follow: true });
 */
export function deltaSource<C extends Columns>(
  options: DeltaSourceOptions<C> & { readonly schema: RowSchema<C> },
): Source<InferRow<RowSchema<C>>>;
export function deltaSource<Row = TableRow>(options: DeltaSourceOptions): Source<Row>;
export function deltaSource(options: DeltaSourceOptions): Source<TableRow> {
  const settings = checkSource(options);
  const { location, partition, changelog } = settings;
  return {
    description: `delta table ${location.description}`,
    changelog,
    replayable: true,
    abilities: { lag: (positions) => lagOf(settings, positions) },
    async *assignments() {
      yield { partitions: [partition], open: (positions, signal) => openReader(settings, positions, signal) };
    },
  };
}

async function openReader(
  settings: SourceSettings,
  positions: Positions,
  signal: AbortSignal,
): Promise<TableChangesReader> {
  const opened = await settings.location.store.open();
  try {
    const place: FilePlace = { store: opened.store, place: settings.location.place };
    const start = await startOf(place, settings, positions);
    return new TableChangesReader({ ...settings, place, start, close: () => opened.close() }, signal);
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function startOf(
  place: FilePlace,
  { partition, after, location, pollMs }: SourceSettings,
  positions: Positions,
): Promise<Start> {
  const { state } = await readTable(place.store, place.place);
  if (state.version < 0)
    throw new EosError('EOS_SOURCE_UNAVAILABLE', `there is no Delta table yet in ${location.description}`, {
      retryable: pollMs !== undefined,
    });
  checkReadable(state.protocol, state.metadata);
  const position = positions.get(partition);
  const stored = position && (await startAt(place, state, partition, position));
  if (stored !== undefined) return stored;
  if (after !== undefined) return { place: { version: after + 1, index: 0 }, snapshot: undefined };
  return { place: { version: state.version, index: 0 }, snapshot: state.version };
}

/** Counts the rows of the files of the commits behind the position, without reading them; what a change data feed holds is not known. */
async function lagOf(
  { location, partition, after }: SourceSettings,
  positions: Positions,
): Promise<ReadonlyMap<PartitionId, SourceLag>> {
  const opened = await location.store.open();
  try {
    const { offset = null, source = null } = positions.get(partition) ?? {};
    const place = { store: opened.store, place: location.place };
    // Among the rows that the table had at first: how many there are is told by reading.
    const behind = source?.['snapshot'] === undefined ? await changesFrom(place, offset, after) : undefined;
    return new Map([[partition, { unit: 'rows', behind, total: undefined }]]);
  } finally {
    await opened.close();
  }
}

async function changesFrom(
  { store, place }: FilePlace,
  offset: bigint | null,
  after: Version | undefined,
): Promise<bigint | undefined> {
  if (offset === null && after === undefined) return undefined;
  const { version, index } =
    offset === null ? { version: (after ?? -1) + 1, index: 0 } : versionPlace(offset);
  let behind = -index;
  for (let next = version; ; next++) {
    const body = await readBody(store, place, next);
    if (body === undefined) return BigInt(Math.max(0, behind));
    const count = changeCount(parseCommit(next, body));
    if (count === undefined) return undefined;
    behind += count;
  }
}

function changeCount({ adds, removes, changeFiles }: Commit): number | undefined {
  if (changeFiles.length > 0) return undefined;
  let count = 0;
  for (const { dataChange, stats, deletionVector } of [...adds, ...removes]) {
    if (!dataChange) continue;
    const rows = rowCountOf(stats);
    if (rows === undefined || deletionVector !== undefined) return undefined;
    count += rows;
  }
  return count;
}

function checkSource(options: DeltaSourceOptions): SourceSettings {
  const { changelog = 'append', follow = false, pollMs = 1_000, after, name = '0' } = options;
  if (!['append', 'upsert', 'retract'].includes(changelog))
    fail('changelog', `must be 'append', 'upsert' or 'retract'`);
  if (typeof follow !== 'boolean') fail('follow', 'must be true or false');
  if (!Number.isSafeInteger(pollMs) || pollMs < 1)
    fail('pollMs', 'must be a whole number of milliseconds, at least 1');
  if (after !== undefined && (!Number.isSafeInteger(after) || after < -1))
    fail('after', 'must be the number of a version, or -1');
  if (typeof name !== 'string' || name === '') fail('name', 'must be a text that is not empty');
  return {
    location: tableLocation(options),
    partition: name,
    schema: options.schema,
    changelog,
    after,
    pollMs: follow ? pollMs : undefined,
  };
}

function fail(option: keyof DeltaSourceOptions, problem: string): never {
  throw new EosError('EOS_CONFIG', `${option}: ${problem}`, { details: { option } });
}
