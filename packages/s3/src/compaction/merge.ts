/** The files that a compaction leaves: written anew where that makes fewer or takes deleted rows away, as they are elsewhere. */
import { EosError, type RowSchema } from '@eos/core';
import { createDataFiles } from '../files/data-files-writer.js';
import type { DataFile } from '../files/data-files.js';
import type { FileSettings } from '../files/settings.js';
import type { LiveFile, TablePlace } from '../log/index.js';
import type { S3Table } from '../reader/open-table.js';
import { readFileRows } from '../reader/read-files.js';

/** What the merged files are written like. */
export interface CompactSettings {
  readonly schema: RowSchema;
  readonly files: FileSettings;
}

export interface Merge {
  readonly place: TablePlace;
  readonly settings: CompactSettings;
  /** As of the last entry that is compacted. */
  readonly table: S3Table;
  readonly signal: AbortSignal | undefined;
}

/** Of append tables: how many small files are known at a time, those that wait for others of their folder. */
const WAITING_FILES = 10_000;

/**
 * Files in the order in which their rows are folded; of append tables, in each folder by itself. New ones carry the table's entry in their
 * names, so that the floor of a vacuum covers them as it does a writer's.
 *
 * An upsert is folded as a whole. In an append table only small files are written anew, where there are several to become one: those of half
 * the size at which files roll stay as they are, and so does the order of rows in a folder.
 * @throws EOS_ABORTED
 */
export async function* mergedFiles(merge: Merge): AsyncGenerator<DataFile> {
  const { table } = merge;
  if (table.mode === 'upsert') yield* rewritten(merge, table.rows());
  else yield* mergedByFolder(merge);
}

async function* mergedByFolder(merge: Merge): AsyncGenerator<DataFile> {
  const folders = new Map<string, LiveFile[]>();
  let count = 0;
  for await (const file of merge.table.files()) {
    const folder = file.path.slice(0, file.path.lastIndexOf('/') + 1);
    const waiting = folders.get(folder) ?? [];
    if (isLarge(file, merge.settings.files)) {
      // Its rows come behind theirs.
      yield* mergedOf(merge, waiting);
      yield file;
      folders.delete(folder);
      count -= waiting.length;
      continue;
    }
    waiting.push(file);
    folders.set(folder, waiting);
    count += 1;
    if (count < WAITING_FILES) continue;
    for (const files of folders.values()) yield* mergedOf(merge, files);
    folders.clear();
    count = 0;
  }
  for (const files of folders.values()) yield* mergedOf(merge, files);
}

function isLarge({ bytes, rows }: DataFile, { roll }: FileSettings): boolean {
  return bytes >= roll.bytes / 2 || rows >= roll.rows / 2;
}

async function* mergedOf(merge: Merge, files: readonly LiveFile[]): AsyncGenerator<DataFile> {
  if (files.length > 1) yield* rewritten(merge, rowsOf(merge, files));
  else yield* files;
}

async function* rowsOf(
  { place, table }: Merge,
  files: readonly LiveFile[],
): AsyncGenerator<readonly Record<string, unknown>[]> {
  const reading = { place, schema: table.schema, key: undefined };
  for (const file of files) for await (const { rows } of readFileRows(file, reading)) yield rows;
}

async function* rewritten(
  { place: { store, prefix }, settings, table, signal }: Merge,
  rows: AsyncIterable<readonly Record<string, unknown>[]>,
): AsyncGenerator<DataFile> {
  const files = createDataFiles<Record<string, unknown>>(
    { store, prefix, seen: table.seq, pending: false },
    { ...settings.files, schema: table.schema },
  );
  try {
    for await (const batch of rows) {
      if (signal?.aborted === true)
        throw new EosError('EOS_ABORTED', 'compaction was stopped: the table is as it was');
      await files.write({ partition: '', rows: batch });
    }
    yield* await files.seal();
  } catch (error) {
    await files.abort();
    throw error;
  }
}
