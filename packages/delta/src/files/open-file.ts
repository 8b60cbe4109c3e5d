/** A data file of a table, open for reading: its Parquet, and which of its rows are deleted. */
import type { ObjectStore } from '@eos/object-store';
import { openParquet, type ByteSource, type ParquetFileReader } from '@eos/parquet';
import { EosError } from '@eos/core';
import type { RowSet } from '../deletion-vectors/row-set.js';
import { readVector } from '../deletion-vectors/vector-file.js';
import type { DeletionVector } from '../log/actions.js';
import { dataKey } from '../log/paths.js';
import type { FilePlace } from './data-file.js';

/** What names a data file, or one of the change data feed. */
export interface NamedFile {
  readonly path: string;
  readonly size: number;
  readonly deletionVector?: DeletionVector;
}

export interface OpenFile {
  readonly parquet: ParquetFileReader;
  /** Rows that a deletion vector deletes; undefined for none. */
  readonly deleted: RowSet | undefined;
}

/**
 * Opens a file of the table.
 * @throws EOS_SOURCE_FORMAT where it is damaged, EOS_FORMAT where its deletion vector is, EOS_UNAVAILABLE where it is gone
 */
export async function openFile({ store, place }: FilePlace, file: NamedFile): Promise<OpenFile> {
  const { deletionVector } = file;
  const [parquet, deleted] = await Promise.all([
    openParquet(byteSource(store, dataKey(place, file.path), file.size)),
    deletionVector === undefined ? undefined : readVector(store, place, deletionVector),
  ]);
  return { parquet, deleted };
}

function byteSource(store: ObjectStore, key: string, size: number): ByteSource {
  return {
    size,
    async read(start, end) {
      const bytes = await store.read(key, { start, end });
      if (bytes !== undefined) return bytes;
      const message = `the table names ${key}, which is not there: a VACUUM may have deleted it, or the version is too old`;
      throw new EosError('EOS_UNAVAILABLE', message, { retryable: true, details: { key } });
    },
  };
}
