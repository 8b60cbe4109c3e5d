/** Writes a classic checkpoint: everything that a reader needs of the commits up to a version. */
import type { ObjectStore } from '@eos/object-store';
import { nestedParquetWriter } from '@eos/parquet';
import { ObjectWriter } from '../files/object-writer.js';
import type { DomainMetadata, Metadata, Protocol, RemoveFile, Transaction, Version } from './actions.js';
import { addRow, checkpointFields, metadataRow, protocolRow, removeRow } from './checkpoint-schema.js';
import { writeHint } from './last-checkpoint.js';
import type { FileSet } from './live-files.js';
import { checkpointKey, type TablePlace } from './paths.js';
import { fileRetentionMs } from './retention.js';

/** A table at one version, as it was when the checkpoint was asked for. */
export interface CheckpointContent {
  readonly version: Version;
  readonly protocol: Protocol;
  readonly metadata: Metadata;
  readonly transactions: readonly Transaction[];
  readonly domains: readonly DomainMetadata[];
  readonly files: FileSet;
}

const BATCH_ROWS = 1_024;

/** Small ones, so that most have files only, and who wants no files need not read them. */
const ROW_GROUP_ROWS = 10_000;

/**
 * Writes the checkpoint, and then the hint. Several writers may do so at once: what they write says the same.
 *
 * Memory: one row group of the file.
 * @param now in milliseconds: tombstones that are older than the table keeps them are left out
 */
export async function writeCheckpoint(
  store: ObjectStore,
  place: TablePlace,
  content: CheckpointContent,
  now: number,
): Promise<void> {
  const { version, domains, files } = content;
  const object = new ObjectWriter(store, checkpointKey(place, version));
  const fields = checkpointFields(domains.length > 0);
  const writer = nestedParquetWriter<object>(fields, (bytes) => object.write(bytes), {
    rowGroupRows: ROW_GROUP_ROWS,
  });
  try {
    let batch: object[] = [];
    for (const row of rowsOf(content, now)) {
      batch.push(row);
      if (batch.length < BATCH_ROWS) continue;
      await writer.write(batch);
      batch = [];
    }
    await writer.write(batch);
    const { rowCount, bytes } = await writer.finish();
    await object.finish();
    const hint = { version, size: rowCount, sizeInBytes: bytes, numOfAddFiles: files.adds.size };
    await writeHint(store, place, hint);
  } catch (error) {
    await object.abort();
    throw error;
  }
}

/** What is read without files comes first, in row groups of its own as far as it goes. */
function* rowsOf(content: CheckpointContent, now: number): Generator<object> {
  const { protocol, metadata, transactions, domains, files } = content;
  yield protocolRow(protocol);
  yield metadataRow(metadata);
  for (const transaction of transactions) yield { txn: transaction };
  for (const domain of domains) yield { domainMetadata: domain };
  const oldest = now - fileRetentionMs(metadata);
  for (const remove of files.removes.values()) if (isKept(remove, oldest)) yield removeRow(remove);
  for (const add of files.adds.values()) yield addRow(add);
}

function isKept({ deletionTimestamp = 0 }: RemoveFile, oldest: number): boolean {
  return deletionTimestamp > oldest;
}
