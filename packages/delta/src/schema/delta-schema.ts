/**
 * The schema of a Delta table: `schemaString` of its metadata.
 * https://github.com/delta-io/delta/blob/master/PROTOCOL.md#schema-serialization-format
 */
import { EosError } from '@eos/core';
import { FieldReader, isFields, malformed, type Fields } from '../log/fields.js';

export type PrimitiveName = (typeof PRIMITIVES)[number];

const PRIMITIVES = [
  'boolean',
  'byte',
  'short',
  'integer',
  'long',
  'float',
  'double',
  'string',
  'binary',
  'date',
  'timestamp',
  'timestamp_ntz',
  'void',
] as const;

export type DeltaType =
  | { readonly kind: PrimitiveName }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'struct'; readonly fields: readonly DeltaField[] }
  | { readonly kind: 'array'; readonly element: DeltaType; readonly containsNull: boolean }
  | {
      readonly kind: 'map';
      readonly key: DeltaType;
      readonly value: DeltaType;
      readonly valueContainsNull: boolean;
    };

export interface DeltaField {
  readonly name: string;
  readonly type: DeltaType;
  readonly isNullable: boolean;
  /** Free JSON; what this package does not know it keeps. */
  readonly metadata: Fields;
}

export interface DeltaSchema {
  readonly fields: readonly DeltaField[];
}

/** Texts of schemas that were read: the log names the same one again and again. Bounded by its size. */
const PARSED = new Map<string, DeltaSchema>();
const MAX_PARSED = 16;

/**
 * @throws EOS_FORMAT where the text is no schema, EOS_SCHEMA for a type that this package does not know
 */
export function parseTableSchema(schemaString: string): DeltaSchema {
  const known = PARSED.get(schemaString);
  if (known !== undefined) return known;
  const parsed = { fields: structOf(parseJson(schemaString)).fields };
  if (PARSED.size >= MAX_PARSED) PARSED.clear();
  PARSED.set(schemaString, parsed);
  return parsed;
}

function parseJson(text: string): Fields {
  try {
    const value: unknown = JSON.parse(text);
    if (isFields(value)) return value;
  } catch (cause) {
    throw malformed('schemaString is no JSON', cause);
  }
  throw malformed('schemaString is no struct');
}

function structOf(fields: Fields): DeltaType & { readonly kind: 'struct' } {
  const list = fields['fields'];
  if (fields['type'] !== 'struct' || !Array.isArray(list)) throw malformed('schemaString is no struct');
  return { kind: 'struct', fields: list.map(fieldOf) };
}

function fieldOf(value: unknown): DeltaField {
  if (!isFields(value)) throw malformed('a field of schemaString is no object');
  const read = new FieldReader('schemaString', value);
  return {
    name: read.text('name'),
    type: typeOf(value['type'], read.text('name')),
    isNullable: read.flag('nullable', true),
    metadata: read.object('metadata') ?? {},
  };
}

const DECIMAL = /^decimal\(\s*(\d+)\s*,\s*(\d+)\s*\)$/;

function typeOf(value: unknown, column: string): DeltaType {
  if (typeof value === 'string') return primitiveOf(value, column);
  if (!isFields(value)) throw malformed(`column ${JSON.stringify(column)} has no type`);
  switch (value['type']) {
    case 'struct':
      return structOf(value);
    case 'array':
      return {
        kind: 'array',
        element: typeOf(value['elementType'], column),
        containsNull: value['containsNull'] !== false,
      };
    case 'map':
      return {
        kind: 'map',
        key: typeOf(value['keyType'], column),
        value: typeOf(value['valueType'], column),
        valueContainsNull: value['valueContainsNull'] !== false,
      };
    default:
      throw unknownType(JSON.stringify(value['type']), column);
  }
}

function primitiveOf(name: string, column: string): DeltaType {
  const [, precision, scale] = DECIMAL.exec(name) ?? [];
  if (name === 'decimal') return { kind: 'decimal', precision: 10, scale: 0 };
  if (precision !== undefined && scale !== undefined)
    return { kind: 'decimal', precision: Number(precision), scale: Number(scale) };
  const kind = PRIMITIVES.find((known) => known === name);
  if (kind === undefined) throw unknownType(name, column);
  return { kind };
}

function unknownType(type: string, column: string): EosError {
  return new EosError(
    'EOS_SCHEMA',
    `column ${JSON.stringify(column)} of the Delta table is of the type ${type}, which this version does not know`,
    { details: { column, type } },
  );
}

/** The text of a schema, as the metadata has it. */
export function schemaText({ fields }: DeltaSchema): string {
  return JSON.stringify(structJson(fields));
}

function structJson(fields: readonly DeltaField[]): object {
  return {
    type: 'struct',
    fields: fields.map(({ name, type, isNullable, metadata }) => ({
      ...{ name, type: typeJson(type), nullable: isNullable, metadata },
    })),
  };
}

function typeJson(type: DeltaType): string | object {
  switch (type.kind) {
    case 'struct':
      return structJson(type.fields);
    case 'array':
      return { type: 'array', elementType: typeJson(type.element), containsNull: type.containsNull };
    case 'map':
      return {
        type: 'map',
        keyType: typeJson(type.key),
        valueType: typeJson(type.value),
        valueContainsNull: type.valueContainsNull,
      };
    default:
      return typeName(type);
  }
}

/** How a type is called, for messages and in the text of a schema. */
export function typeName(type: DeltaType): string {
  return type.kind === 'decimal' ? `decimal(${type.precision},${type.scale})` : type.kind;
}
