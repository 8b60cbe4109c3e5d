/** A table as a source: the commits of one pipeline, in the order in which they were made, as the input of another. */
import {
  checkName,
  EosError,
  type Columns,
  type InferRow,
  type PartitionId,
  type Positions,
  type RowSchema,
  type Source,
  type SourceLag,
} from '@eos/core';
import { storePlace } from '@eos/object-store/place';
import { checkPrefix } from '../log/keys.js';
import { readState, type TablePlace } from '../log/index.js';
import { scopeOf } from '../log/state.js';
import type { StoreOptions } from '../options.js';
import { followCommits } from './followed-log.js';
import { startOf } from './judge-position.js';
import { logPlace } from './log-offset.js';
import { LogReader } from './log-reader.js';
import { checkColumns } from './read-columns.js';

export interface S3SourceOptions<C extends Columns = Columns> extends StoreOptions {
  /** Whose commits to read: the id of the pipeline that writes them … */
  readonly pipeline: string;
  /** … and the name of its sink there. */
  readonly sink: string;
  /** As the table was made: `append` (default), or `upsert` for one with a key, whose rows are changes. */
  readonly changelog?: 'append' | 'upsert';
  /** Which columns to read, as the table has them. Default: all. */
  readonly schema?: RowSchema<C>;
  /** Whether to wait for more at the end of the log. Default false: it ends there. */
  readonly follow?: boolean;
  /** With `follow`: milliseconds between two looks behind the end. Default 1,000. */
  readonly pollMs?: number;
  /**
   * A first run begins behind this entry of the log. Default: at the start. `seq` of a table that was read by `openTable` is such an entry:
   * its rows, and then what this source gives, are all there is.
   */
  readonly after?: bigint;
}

interface SourceSettings {
  readonly place: ReturnType<typeof storePlace>;
  readonly prefix: string;
  readonly scope: string;
  readonly partition: PartitionId;
  readonly changelog: 'append' | 'upsert';
  readonly schema: RowSchema | undefined;
  readonly pollMs: number | undefined;
  readonly after: bigint;
}

/**
 * The rows that a pipeline has committed to a table. Exactly once, like any source: what was not committed is never read, and offsets name
 * the entry of the log and the row within it, so that batches may end anywhere. One partition, `<pipeline>/<sink>`.
 *
 * Entries stay when a table is compacted, and their files until the next two vacuums: a reader that is further behind is told
 * (EOS_SOURCE_CHANGED), and never passes rows over.
 * @throws EOS_CONFIG; its readers EOS_SOURCE_CHANGED, EOS_SOURCE_FORMAT, EOS_SCHEMA and what the store throws
 * @example
 * const source = s3Source({ bucket: 'warehouse', prefix: 'flights', pipeline: 'flights', sink: 'files', follow: true });
 */
export function s3Source<C extends Columns>(
  options: S3SourceOptions<C> & { readonly schema: RowSchema<C> },
): Source<InferRow<RowSchema<C>>>;
export function s3Source(options: S3SourceOptions): Source<Record<string, unknown>>;
export function s3Source(options: S3SourceOptions): Source<Record<string, unknown>> {
  const settings = checkSource(options);
  const { place, prefix, partition, changelog } = settings;
  return {
    description: `s3 log of ${partition} in ${place.description}${prefix === '' ? '' : ` ${prefix}`}`,
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
): Promise<LogReader> {
  const { prefix, scope, partition, schema, after } = settings;
  const opened = await settings.place.open();
  try {
    const place: TablePlace = { store: opened.store, prefix };
    const { table } = await readState(place);
    if (table === undefined)
      throw new EosError(
        'EOS_SOURCE_UNAVAILABLE',
        `there is no table yet in ${settings.place.description} ${prefix}`,
        {
          retryable: settings.pollMs !== undefined,
          details: { prefix },
        },
      );
    checkColumns(table, schema);
    const start = await startOf(place, positions.get(partition), scope, after);
    return new LogReader({ ...settings, place, start, close: () => opened.close() }, signal);
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** Counts the rows of the entries behind the position: as many requests as reading them takes, without their files. */
async function lagOf(
  { place, prefix, scope, partition, after }: SourceSettings,
  positions: Positions,
): Promise<ReadonlyMap<PartitionId, SourceLag>> {
  const opened = await place.open();
  try {
    const offset = positions.get(partition)?.offset ?? null;
    const start = offset === null ? { seq: after + 1n, row: 0 } : logPlace(offset);
    let behind = BigInt(-start.row);
    const { signal } = new AbortController();
    const follow = { scope, pollMs: undefined, signal };
    for await (const { entry } of followCommits({ store: opened.store, prefix }, start.seq, follow))
      for (const { rows } of entry.files) behind += BigInt(rows);
    return new Map([[partition, { unit: 'rows', behind, total: undefined }]]);
  } finally {
    await opened.close();
  }
}

const CHANGELOGS: readonly string[] = ['append', 'upsert'];

function checkSource(options: S3SourceOptions): SourceSettings {
  const { pipeline, sink, changelog = 'append', follow = false, pollMs = 1_000, after = -1n } = options;
  checkName('pipeline id', pipeline);
  checkName('sink name', sink);
  if (!CHANGELOGS.includes(changelog)) fail('changelog', `must be 'append' or 'upsert'`);
  if (typeof follow !== 'boolean') fail('follow', 'must be true or false');
  if (!Number.isSafeInteger(pollMs) || pollMs < 1)
    fail('pollMs', 'must be a whole number of milliseconds, at least 1');
  if (typeof after !== 'bigint' || after < -1n)
    fail('after', 'must be the number of an entry of the log, a bigint');
  const scope = scopeOf({ pipeline, sink });
  return {
    place: storePlace(options),
    prefix: checkPrefix(options.prefix),
    scope,
    partition: scope,
    changelog,
    schema: options.schema,
    pollMs: follow ? pollMs : undefined,
    after,
  };
}

function fail(option: keyof S3SourceOptions, problem: string): never {
  throw new EosError('EOS_CONFIG', `${option}: ${problem}`, { details: { option } });
}
