/** Which tables this package reads and writes. What it does not know it refuses by name, before the first write. */
import { EosError } from '@eos/core';
import type { Metadata, Protocol } from './actions.js';
import { parseTableSchema, type DeltaField } from '../schema/delta-schema.js';

/**
 * What writers of a version up to 6 may use without naming it; from 7 on a table names its features.
 * https://github.com/delta-io/delta/blob/master/PROTOCOL.md#table-features-for-new-and-existing-tables
 */
const LEGACY_WRITER_VERSION = 6;

/** Features that a reader must know of, by which this package reads. */
const READER_FEATURES: ReadonlySet<string> = new Set([
  'deletionVectors',
  'timestampNtz',
  'vacuumProtocolCheck',
]);

/**
 * Features under which this package writes. Some say only that a table *may* use something: whether it does is looked for in its
 * properties and columns (`unsupportedUses`).
 */
const WRITER_FEATURES: ReadonlySet<string> = new Set([
  ...READER_FEATURES,
  'appendOnly',
  'invariants',
  'checkConstraints',
  'changeDataFeed',
  'generatedColumns',
  'identityColumns',
  'columnMapping',
  'allowColumnDefaults',
  'domainMetadata',
]);

/**
 * @throws EOS_SCHEMA naming the feature by which the table cannot be read
 */
export function checkReadable(protocol: Protocol, metadata: Metadata): void {
  const { minReaderVersion, readerFeatures = [] } = protocol;
  if (minReaderVersion > 3) throw unsupported('read', `reader version ${minReaderVersion}`);
  const unknown = minReaderVersion === 3 ? readerFeatures.find((name) => !isReadable(name)) : undefined;
  if (unknown !== undefined) throw unsupported('read', `the table feature ${unknown}`, { feature: unknown });
  const mapping = columnMapping(metadata);
  if (mapping !== 'none' && mapping !== 'name')
    throw unsupported('read', `column mapping by ${mapping}`, { feature: 'columnMapping' });
  if (metadata.provider !== 'parquet') throw unsupported('read', `files of ${metadata.provider}`);
}

/** Column mapping may be named and not used. */
function isReadable(feature: string): boolean {
  return READER_FEATURES.has(feature) || feature === 'columnMapping';
}

/**
 * @throws EOS_SCHEMA naming the feature, the constraint or the column that a writer would have to heed
 */
export function checkWritable(protocol: Protocol, metadata: Metadata): void {
  checkReadable(protocol, metadata);
  const mapping = columnMapping(metadata);
  if (mapping !== 'none')
    throw unsupported('write', `column mapping by ${mapping}`, { feature: 'columnMapping' });
  const { minWriterVersion, writerFeatures = [] } = protocol;
  if (minWriterVersion > 7) throw unsupported('write', `writer version ${minWriterVersion}`);
  if (minWriterVersion > LEGACY_WRITER_VERSION) {
    const unknown = writerFeatures.find((name) => !WRITER_FEATURES.has(name));
    if (unknown !== undefined)
      throw unsupported('write', `the table feature ${unknown}`, { feature: unknown });
  }
  for (const [use, details] of unsupportedUses(metadata)) throw unsupported('write', use, details);
}

function* unsupportedUses(metadata: Metadata): Generator<[string, Readonly<Record<string, string>>]> {
  for (const [name, rule] of Object.entries(metadata.configuration)) {
    if (!name.toLowerCase().startsWith('delta.constraints.')) continue;
    const constraint = name.slice('delta.constraints.'.length);
    yield [`the constraint ${constraint} (${rule})`, { feature: 'checkConstraints', constraint }];
  }
  for (const column of columnsOf(parseTableSchema(metadata.schemaString).fields)) {
    for (const [key, feature] of COLUMN_RULES) {
      if (!Object.keys(column.metadata).some((name) => name === key || name.startsWith(`${key}.`))) continue;
      yield [`column ${JSON.stringify(column.name)}, which has ${key}`, { feature, column: column.name }];
    }
  }
}

/** Metadata of columns that asks something of a writer, with the feature that it belongs to. */
const COLUMN_RULES: readonly (readonly [string, string])[] = [
  ['delta.invariants', 'invariants'],
  ['delta.generationExpression', 'generatedColumns'],
  ['delta.identity', 'identityColumns'],
  ['CURRENT_DEFAULT', 'allowColumnDefaults'],
];

/** Every field, also within structs, lists and maps. */
function* columnsOf(fields: readonly DeltaField[]): Generator<DeltaField> {
  for (const field of fields) {
    yield field;
    const pending = [field.type];
    for (let type = pending.pop(); type !== undefined; type = pending.pop()) {
      if (type.kind === 'struct') yield* columnsOf(type.fields);
      else if (type.kind === 'array') pending.push(type.element);
      else if (type.kind === 'map') pending.push(type.key, type.value);
    }
  }
}

/** `none`, or by what columns of files are found. */
function columnMapping({ configuration }: Metadata): string {
  return configuration['delta.columnMapping.mode'] ?? 'none';
}

/** Whether rows may only be added: `delta.appendOnly`. */
export function isAppendOnly({ configuration }: Metadata): boolean {
  return isTrue(configuration['delta.appendOnly']);
}

/** Whether changes are to be written for the change data feed. */
export function hasChangeDataFeed({ configuration }: Metadata): boolean {
  return isTrue(configuration['delta.enableChangeDataFeed']);
}

/** Whether rows may be deleted by deletion vectors: named in the protocol, and switched on. */
export function hasDeletionVectors(protocol: Protocol, { configuration }: Metadata): boolean {
  const isNamed = protocol.writerFeatures?.includes('deletionVectors') ?? false;
  return isNamed && isTrue(configuration['delta.enableDeletionVectors']);
}

function isTrue(text: string | undefined): boolean {
  return text?.toLowerCase() === 'true';
}

function unsupported(
  what: 'read' | 'write',
  use: string,
  details: Readonly<Record<string, string>> = {},
): EosError {
  const verb = what === 'read' ? 'read from' : 'write to';
  const message = `Eos cannot ${verb} this Delta table: it uses ${use}, which this version does not know. Nothing was written`;
  return new EosError('EOS_SCHEMA', message, { details });
}
