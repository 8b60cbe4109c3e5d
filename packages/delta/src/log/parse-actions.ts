/** Commit files and rows of checkpoints to actions. Both have the same members, so that both are read here. */
import { parseExactJson } from '@eos/core';
import type {
  AddFile,
  ChangeFile,
  Commit,
  DeletionVector,
  DomainMetadata,
  Metadata,
  PartitionValues,
  Protocol,
  RemoveFile,
  Tags,
  Transaction,
  Version,
} from './actions.js';
import { FieldReader, isFields, malformed, type Fields } from './fields.js';

/**
 * Reads a commit file: one action a line.
 * @throws EOS_FORMAT naming version and line
 */
export function parseCommit(version: Version, body: Uint8Array): Commit {
  const parsed = {
    version,
    transactions: [] as Transaction[],
    domains: [] as DomainMetadata[],
    removes: [] as RemoveFile[],
    adds: [] as AddFile[],
    changeFiles: [] as ChangeFile[],
  };
  const others: { info?: Fields; protocol?: Protocol; metadata?: Metadata } = {};
  const lines = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString().split('\n');
  lines.forEach((line, index) => {
    if (line.trim() === '') return;
    const what = `commit ${version}, line ${index + 1}`;
    for (const [kind, fields] of Object.entries(parseLine(line, what))) {
      if (!isFields(fields)) continue;
      switch (kind) {
        case 'add':
          parsed.adds.push(addFileOf(fields, what));
          break;
        case 'remove':
          parsed.removes.push(removeFileOf(fields, what));
          break;
        case 'cdc':
          parsed.changeFiles.push(changeFileOf(fields, what));
          break;
        case 'txn':
          parsed.transactions.push(transactionOf(fields, what));
          break;
        case 'domainMetadata':
          parsed.domains.push(domainOf(fields, what));
          break;
        case 'protocol':
          others.protocol = protocolOf(fields, what);
          break;
        case 'metaData':
          others.metadata = metadataOf(fields, what);
          break;
        case 'commitInfo':
          others.info = fields;
      }
    }
  });
  return { ...parsed, ...others };
}

function parseLine(line: string, what: string): Fields {
  try {
    const value = parseExactJson(line);
    if (isFields(value)) return value;
  } catch (cause) {
    throw malformed(`${what} is no JSON`, cause);
  }
  throw malformed(`${what} is no action`);
}

export function protocolOf(fields: Fields, what: string): Protocol {
  const read = new FieldReader(`${what}, protocol`, fields);
  return {
    minReaderVersion: read.integer('minReaderVersion'),
    minWriterVersion: read.integer('minWriterVersion'),
    ...defined({
      readerFeatures: read.texts('readerFeatures'),
      writerFeatures: read.texts('writerFeatures'),
    }),
  };
}

export function metadataOf(fields: Fields, what: string): Metadata {
  const read = new FieldReader(`${what}, metaData`, fields);
  const format = new FieldReader(`${what}, metaData.format`, read.object('format') ?? {});
  return {
    id: read.text('id'),
    provider: format.optionalText('provider') ?? 'parquet',
    formatOptions: textsOnly(format.textMap('options')),
    schemaString: read.text('schemaString'),
    partitionColumns: read.texts('partitionColumns') ?? [],
    configuration: textsOnly(read.textMap('configuration')),
    ...defined({
      name: read.optionalText('name'),
      description: read.optionalText('description'),
      createdTime: read.optionalInteger('createdTime'),
    }),
  };
}

function textsOnly(map: Readonly<Record<string, string | null>> = {}): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(map).flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
  );
}

/** Most tables have no partitions: one object for all their files. */
const UNPARTITIONED: PartitionValues = Object.freeze({});

function partitionsOf(values: PartitionValues | undefined): PartitionValues {
  return values === undefined || Object.keys(values).length === 0 ? UNPARTITIONED : values;
}

export function addFileOf(fields: Fields, what: string): AddFile {
  const read = new FieldReader(`${what}, add`, fields);
  return {
    path: read.text('path'),
    partitionValues: partitionsOf(read.textMap('partitionValues')),
    size: read.integer('size'),
    modificationTime: read.optionalInteger('modificationTime') ?? 0,
    dataChange: read.flag('dataChange', false),
    ...defined({
      stats: read.optionalText('stats'),
      tags: tagsOf(read),
      deletionVector: deletionVectorOf(read),
      baseRowId: read.optionalLong('baseRowId'),
      defaultRowCommitVersion: read.optionalLong('defaultRowCommitVersion'),
      clusteringProvider: read.optionalText('clusteringProvider'),
    }),
  };
}

export function removeFileOf(fields: Fields, what: string): RemoveFile {
  const read = new FieldReader(`${what}, remove`, fields);
  const partitionValues = read.textMap('partitionValues');
  return {
    path: read.text('path'),
    dataChange: read.flag('dataChange', false),
    ...(partitionValues === undefined ? {} : { partitionValues: partitionsOf(partitionValues) }),
    ...defined({
      deletionTimestamp: read.optionalInteger('deletionTimestamp'),
      extendedFileMetadata: read.optionalFlag('extendedFileMetadata'),
      size: read.optionalInteger('size'),
      stats: read.optionalText('stats'),
      tags: tagsOf(read),
      deletionVector: deletionVectorOf(read),
      baseRowId: read.optionalLong('baseRowId'),
      defaultRowCommitVersion: read.optionalLong('defaultRowCommitVersion'),
    }),
  };
}

function changeFileOf(fields: Fields, what: string): ChangeFile {
  const read = new FieldReader(`${what}, cdc`, fields);
  return {
    path: read.text('path'),
    partitionValues: partitionsOf(read.textMap('partitionValues')),
    size: read.integer('size'),
    ...defined({ tags: tagsOf(read) }),
  };
}

export function transactionOf(fields: Fields, what: string): Transaction {
  const read = new FieldReader(`${what}, txn`, fields);
  return {
    appId: read.text('appId'),
    version: read.long('version'),
    ...defined({ lastUpdated: read.optionalInteger('lastUpdated') }),
  };
}

export function domainOf(fields: Fields, what: string): DomainMetadata {
  const read = new FieldReader(`${what}, domainMetadata`, fields);
  return {
    domain: read.text('domain'),
    configuration: read.text('configuration'),
    removed: read.flag('removed', false),
  };
}

function tagsOf(read: FieldReader): Tags | undefined {
  const tags = read.textMap('tags');
  return tags === undefined || Object.keys(tags).length === 0 ? undefined : tags;
}

function deletionVectorOf(parent: FieldReader): DeletionVector | undefined {
  const fields = parent.object('deletionVector');
  if (fields === undefined) return undefined;
  const read = new FieldReader('deletionVector', fields);
  const type = read.text('storageType');
  if (type !== 'u' && type !== 'i' && type !== 'p') return read.missing('storageType', 'u, i or p');
  return {
    storageType: type,
    pathOrInlineDv: read.text('pathOrInlineDv'),
    sizeInBytes: read.integer('sizeInBytes'),
    cardinality: read.integer('cardinality'),
    ...defined({ offset: read.optionalInteger('offset') }),
  };
}

/** Without the members that are undefined: `exactOptionalPropertyTypes` tells nothing from undefined. */
function defined<T extends object>(members: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  const result: { [Name in keyof T]?: Exclude<T[Name], undefined> } = {};
  for (const name in members) {
    const value = members[name];
    if (value !== undefined) result[name] = value as Exclude<T[typeof name], undefined>;
  }
  return result;
}
