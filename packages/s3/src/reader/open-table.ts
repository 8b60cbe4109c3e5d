/** A table read back, as of its newest commit or of an earlier one. */
import { EosError, rowSchemaOf, type Positions, type RowSchema } from '@eos/core';
import type { ObjectStore } from '@eos/object-store';
import { checkPrefix } from '../log/keys.js';
import { liveFiles, readState, type LiveFile, type TablePlace } from '../log/index.js';
import { folded } from './fold.js';
import { readFileRows } from './read-files.js';

export interface OpenTableOptions {
  /** Behind which entry of the log. Default: its end. */
  readonly at?: bigint;
}

/** A table as of one entry of its log, however long it is looked at, and whatever is written meanwhile. */
export interface S3Table {
  /** The entry that it is as of. */
  readonly seq: bigint;
  readonly mode: 'append' | 'upsert';
  /** Empty for `append`. */
  readonly key: readonly string[];
  readonly schema: RowSchema;
  /** Where every pipeline stands, by `<pipeline>/<sink>`. */
  readonly positions: ReadonlyMap<string, Positions>;
  /** The files that hold it, in the order in which their rows were committed. */
  files(): AsyncIterable<LiveFile>;
  /**
   * Its rows, some thousands at a time: of `append` all, in the order of their commits; of `upsert` those that the changelog leaves, in the
   * order of their last changes. Memory: what reading a file takes; of `upsert` also a bit for each change and a 256th of the keys, which lie in
   * temporary files meanwhile.
   * @throws EOS_FORMAT where a file is missing: vacuum deletes what only earlier states need
   */
  rows(): AsyncIterable<readonly Record<string, unknown>[]>;
}

/**
 * Opens a table for reading. Claims nothing and makes nothing.
 * @example
 * const table = await openTable(localObjectStore({ root: 'warehouse' }), 'flights');
 * for await (const rows of table.rows()) console.log(rows.length);
 * @throws EOS_SCHEMA where there is no table; EOS_FORMAT where its log is damaged or of a newer version
 */
export async function openTable(
  store: ObjectStore,
  prefix: string,
  { at }: OpenTableOptions = {},
): Promise<S3Table> {
  const place: TablePlace = { store, prefix: checkPrefix(prefix) };
  const state = await readState(place, at);
  const { table } = state;
  if (table === undefined)
    throw new EosError('EOS_SCHEMA', `there is no table in ${store.description} ${prefix}`, {
      details: { prefix },
    });
  const schema = rowSchemaOf(Object.fromEntries(table.columns.map(({ name, type }) => [name, type])));
  const { key } = table;
  const files = () => liveFiles(place, state);

  async function* rows(): AsyncGenerator<readonly Record<string, unknown>[]> {
    if (table?.mode === 'upsert') {
      yield* folded({ place, schema, key, files });
      return;
    }
    for await (const file of files())
      for await (const batch of readFileRows(file, { place, schema, key: undefined })) yield batch.rows;
  }

  return {
    seq: state.seq,
    mode: table.mode,
    key,
    schema,
    positions: new Map(
      [...state.records].map(([scope, records]) => [
        scope,
        new Map([...records].map(([name, { position }]) => [name, position])),
      ]),
    ),
    files,
    rows,
  };
}
