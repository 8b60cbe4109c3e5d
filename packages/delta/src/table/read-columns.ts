/** Columns of a table as they lie in its files, and how their values become those of rows. */
import { EosError } from '@eos/core';
import type { Metadata } from '../log/actions.js';
import { parseTableSchema, type DeltaField, type DeltaType } from '../schema/delta-schema.js';
import { eosKindOf } from '../schema/eos-columns.js';
import { partitionValueOf, type PartitionValue } from '../schema/partition-texts.js';

export interface ReadColumn {
  readonly name: string;
  readonly field: DeltaField;
  /** Its name in files, in statistics and in partition values: another one with column mapping. */
  readonly physical: string;
  /** Of a partition column: its value comes from the log. */
  readonly partition: PartitionValue | undefined;
  /** From what the file has; undefined: that is the value. */
  readonly convert: Convert | undefined;
}

type Convert = (value: unknown) => unknown;

/**
 * @param names those wanted, in this order; default all
 * @throws EOS_CONFIG for a column that the table has not
 */
export function readColumns(metadata: Metadata, names?: readonly string[]): readonly ReadColumn[] {
  const { fields } = parseTableSchema(metadata.schemaString);
  const wanted = names ?? fields.map(({ name }) => name);
  return wanted.map((name) => {
    const field = fields.find((candidate) => candidate.name === name);
    if (field !== undefined) return readColumn(field, metadata);
    throw new EosError('EOS_CONFIG', `columns: the table has no column ${JSON.stringify(name)}`, {
      details: { option: 'columns', column: name },
    });
  });
}

function readColumn(field: DeltaField, metadata: Metadata): ReadColumn {
  const isPartition = metadata.partitionColumns.includes(field.name);
  return {
    name: field.name,
    field,
    physical: physicalName(field, metadata),
    partition: isPartition ? partitionValueOf(field) : undefined,
    convert: conversionOf(field, metadata),
  };
}

/** https://github.com/delta-io/delta/blob/master/PROTOCOL.md#column-mapping */
export function physicalName(field: DeltaField, { configuration }: Pick<Metadata, 'configuration'>): string {
  const mode = configuration['delta.columnMapping.mode'] ?? 'none';
  const physical = field.metadata['delta.columnMapping.physicalName'];
  return mode !== 'none' && typeof physical === 'string' ? physical : field.name;
}

function conversionOf(field: DeltaField, metadata: Metadata): Convert | undefined {
  if (eosKindOf(field) === 'json') return parseJson;
  return typeConversion(field.type, metadata);
}

/** What a file may have in place of the type: the same value in another form. */
function typeConversion(type: DeltaType, metadata: Metadata): Convert | undefined {
  switch (type.kind) {
    case 'long':
      return (value) => (typeof value === 'number' ? BigInt(value) : value);
    case 'string':
      // Some writers leave out that bytes are text.
      return (value) => (value instanceof Uint8Array ? Buffer.from(value).toString() : value);
    case 'struct':
      return structConversion(type.fields, metadata);
    case 'array': {
      const element = typeConversion(type.element, metadata);
      return element === undefined
        ? undefined
        : (value) => (Array.isArray(value) ? value.map(unlessNull(element)) : value);
    }
    case 'map':
      return mapConversion(type.key, type.value, metadata);
    default:
      return undefined;
  }
}

/** Members by the names of the table; null where the file has none. */
function structConversion(fields: readonly DeltaField[], metadata: Metadata): Convert {
  const members = fields.map((field) => ({
    name: field.name,
    physical: physicalName(field, metadata),
    convert: unlessNull(conversionOf(field, metadata) ?? ((value) => value)),
  }));
  return (value) => {
    if (typeof value !== 'object' || value === null) return value;
    const found: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    for (const { name, physical, convert } of members)
      found[name] = convert(Object.hasOwn(value, physical) ? Reflect.get(value, physical) : null);
    return { ...found };
  };
}

function mapConversion(keyType: DeltaType, valueType: DeltaType, metadata: Metadata): Convert | undefined {
  const [key, value] = [keyType, valueType].map((type) => typeConversion(type, metadata));
  if (key === undefined && value === undefined) return undefined;
  const [convertKey, convertValue] = [key, value].map((convert) => unlessNull(convert ?? ((each) => each)));
  return (map) => {
    if (!(map instanceof Map)) return map;
    return new Map([...map].map(([name, content]) => [convertKey?.(name), convertValue?.(content)]));
  };
}

function unlessNull(convert: Convert): Convert {
  return (value) => (value === null || value === undefined ? null : convert(value));
}

function parseJson(text: unknown): unknown {
  try {
    const value: unknown = JSON.parse(String(text));
    return value;
  } catch (cause) {
    throw new EosError('EOS_SOURCE_FORMAT', 'a json column holds something that is no JSON', { cause });
  }
}
