/**
 * The columns of a classic checkpoint: one row an action, in the column of its kind.
 * https://github.com/delta-io/delta/blob/master/PROTOCOL.md#checkpoint-schema
 */
import type { ParquetField, ParquetType } from '@eos/parquet';
import type { AddFile, Metadata, Protocol, RemoveFile } from './actions.js';

const text: ParquetType = { kind: 'string' };
const long: ParquetType = { kind: 'int64' };
const int: ParquetType = { kind: 'int32' };
const flag: ParquetType = { kind: 'boolean' };
const texts: ParquetType = { kind: 'list', element: { type: text, isNullable: true } };
const textMap: ParquetType = { kind: 'map', key: text, value: { type: text, isNullable: true } };

function struct(fields: Readonly<Record<string, ParquetType>>): ParquetType {
  return {
    kind: 'struct',
    fields: Object.entries(fields).map(([name, type]): ParquetField => ({ name, type, isNullable: true })),
  };
}

const deletionVector = struct({
  storageType: text,
  pathOrInlineDv: text,
  offset: int,
  sizeInBytes: int,
  cardinality: long,
});

const rowTracking = { baseRowId: long, defaultRowCommitVersion: long };

const COLUMNS: Readonly<Record<string, ParquetType>> = {
  txn: struct({ appId: text, version: long, lastUpdated: long }),
  add: struct({
    path: text,
    partitionValues: textMap,
    size: long,
    modificationTime: long,
    dataChange: flag,
    stats: text,
    tags: textMap,
    deletionVector,
    ...rowTracking,
    clusteringProvider: text,
  }),
  remove: struct({
    path: text,
    deletionTimestamp: long,
    dataChange: flag,
    extendedFileMetadata: flag,
    partitionValues: textMap,
    size: long,
    deletionVector,
    ...rowTracking,
  }),
  metaData: struct({
    id: text,
    name: text,
    description: text,
    format: struct({ provider: text, options: textMap }),
    schemaString: text,
    partitionColumns: texts,
    createdTime: long,
    configuration: textMap,
  }),
  protocol: struct({
    minReaderVersion: int,
    minWriterVersion: int,
    readerFeatures: texts,
    writerFeatures: texts,
  }),
  domainMetadata: struct({ domain: text, configuration: text, removed: flag }),
};

/** `domainMetadata` is a column only where the table has some: readers of old know none. */
export function checkpointFields(hasDomains: boolean): readonly ParquetField[] {
  return Object.entries(COLUMNS).flatMap(([name, type]): ParquetField[] =>
    name === 'domainMetadata' && !hasDomains ? [] : [{ name, type, isNullable: true }],
  );
}

export function metadataRow({ provider, formatOptions, ...metadata }: Metadata): object {
  return { metaData: { ...metadata, format: { provider, options: formatOptions } } };
}

export function protocolRow(protocol: Protocol): object {
  return { protocol };
}

/** What a checkpoint holds has changed nothing since: `dataChange` is false. */
export function addRow(add: AddFile): object {
  return { add: { ...add, dataChange: false } };
}

/** Statistics and tags of a tombstone are left out: the columns have no place for them. */
export function removeRow(remove: RemoveFile): object {
  return { remove: { ...remove, dataChange: false } };
}
