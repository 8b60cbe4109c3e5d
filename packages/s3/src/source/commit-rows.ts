/** The rows of a commit, from one of them on. */
import { setTimeout as delay } from 'node:timers/promises';
import { EosError, isEosError, rowSchemaOf, type RowSchema } from '@eos/core';
import type { DataFile } from '../files/data-files.js';
import { readState, type TablePlace } from '../log/index.js';
import type { TableDescription } from '../log/entry.js';
import { readFileRows, type FileRows } from '../reader/read-files.js';
import type { FollowedCommit, FollowOptions } from './followed-log.js';

export interface CommitRows extends FileRows {
  /** The number of the first of them among all rows of the commit. */
  readonly row: number;
  /** Whether the commit ends with them. */
  readonly isLast: boolean;
  /** About how many bytes they take in the file. */
  readonly bytes: number;
}

export interface CommitReading extends Pick<FollowOptions, 'pollMs' | 'signal'> {
  readonly place: TablePlace;
  /** Columns to read; undefined: all that the table has by then. */
  readonly schema: RowSchema | undefined;
}

/**
 * Files that end before `from` are not opened.
 * @throws EOS_SOURCE_CHANGED where a file is gone
 */
export async function* commitRows(
  commit: FollowedCommit,
  from: number,
  reading: CommitReading,
): AsyncGenerator<CommitRows> {
  const { files } = commit.entry;
  const { table } = commit.state;
  if (table === undefined) return;
  const total = files.reduce((sum, { rows }) => sum + rows, 0);
  const schema = reading.schema ?? schemaOf(table);
  const reader = { place: reading.place, schema, key: table.mode === 'upsert' ? table.key : undefined };
  let first = 0;
  for (const file of files) {
    const end = first + file.rows;
    if (end > from) {
      try {
        for await (const { row, rows, ops } of rowsFrom(readFileRows(file, reader), from - first)) {
          const bytes = Math.ceil((file.bytes * rows.length) / file.rows);
          const isLast = first + row + rows.length === total;
          yield { rows, ...(ops === undefined ? {} : { ops }), row: first + row, isLast, bytes };
        }
      } catch (error) {
        throw await explained(error, reading.place, file, commit.seq);
      }
    }
    first = end;
  }
}

/** The columns of a table as rows have them. */
export function schemaOf({ columns }: TableDescription): RowSchema {
  return rowSchemaOf(Object.fromEntries(columns.map(({ name, type }) => [name, type])));
}

/** The rows of a file from the `from`-th on; below 0: all. */
async function* rowsFrom(
  batches: AsyncIterable<FileRows>,
  from: number,
): AsyncGenerator<FileRows & { readonly row: number }> {
  let row = 0;
  for await (const { rows, ops } of batches) {
    const skipped = Math.min(rows.length, Math.max(0, from - row));
    if (skipped < rows.length)
      yield {
        row: row + skipped,
        rows: rows.slice(skipped),
        ...(ops === undefined ? {} : { ops: ops.subarray(skipped) }),
      };
    row += rows.length;
  }
}

/**
 * With `visibility: 'listing'` the files of a commit may come after it, or the commit may be taken back. All are looked at before the first
 * row is handed out: a commit that has one visible file is not taken back any more.
 */
export async function visibilityOf(
  { seq, entry, state }: FollowedCommit,
  { place, pollMs, signal }: CommitReading,
): Promise<'visible' | 'revoked' | 'not yet'> {
  if (state.table?.visibility !== 'listing') return 'visible';
  for (;;) {
    if (await areVisible(place, entry.files)) return 'visible';
    const { voids } = await readState(place);
    if (voids.has(seq)) return 'revoked';
    if (pollMs === undefined) return 'not yet';
    await delay(pollMs, undefined, { signal });
  }
}

async function areVisible({ store, prefix }: TablePlace, files: readonly DataFile[]): Promise<boolean> {
  for (const file of files) if ((await store.head(prefix + file.path)) === undefined) return false;
  return true;
}

/** What it means that a file is not there depends on who asks: here it was deleted before it was read. */
async function explained(
  error: unknown,
  { store, prefix }: TablePlace,
  { path }: DataFile,
  seq: bigint,
): Promise<unknown> {
  if (!isEosError(error, 'EOS_FORMAT') || (await store.head(prefix + path)) !== undefined) return error;
  return new EosError(
    'EOS_SOURCE_CHANGED',
    `${path} of entry ${seq} is gone: it was compacted, and vacuumed before it was read. Read the table by openTable, as of some entry, and ` +
      'give that entry as `after` to a pipeline with another id',
    { details: { seq, path }, cause: error },
  );
}
