/** Fields as the flat list of schema elements that a file's footer has, and the leaves under them, which are what is stored. */
import { EosError } from '@eos/core';
import type { SchemaElement } from 'hyparquet';
import { decimalBytes } from '../values/decimal.js';
import { isScalar, type ParquetElement, type ParquetField, type ScalarType } from './field.js';
import { MAX_PRECISION } from './row-fields.js';

/** One column as it is stored. */
export interface Leaf {
  /** Names from the root: those of a list go through `list` and `element`, those of a map through `key_value` and `key` or `value`. */
  readonly path: readonly string[];
  readonly type: ScalarType;
  readonly element: SchemaElement;
  /** The definition level of a value that is there; lower ones say at which level of the path something is null or empty. */
  readonly maxDefinition: number;
  /** How many lists and maps are above it. */
  readonly maxRepetition: number;
}

export interface FileSchema {
  readonly fields: readonly ParquetField[];
  readonly elements: readonly SchemaElement[];
  /** In the order of the elements, which is that of the column chunks in each row group. */
  readonly leaves: readonly Leaf[];
}

type Repetition = 'REQUIRED' | 'OPTIONAL' | 'REPEATED';

/**
 * Lays fields out as Parquet's rules say: lists in three levels, maps as `key_value`.
 * https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#nested-types
 * @throws EOS_CONFIG for no fields, two of one name, an empty struct, a map with a key that is no scalar, a decimal out of range
 */
export function fileSchema(fields: readonly ParquetField[]): FileSchema {
  if (fields.length === 0) throw new EosError('EOS_CONFIG', 'a Parquet file needs at least one field');
  const elements: SchemaElement[] = [{ name: 'schema', num_children: fields.length }];
  const leaves: Leaf[] = [];

  function addFields(children: readonly ParquetField[], path: readonly string[], level: Level): void {
    checkNames(children, path);
    for (const child of children) addField(child.name, child, path, level);
  }

  function addField(
    name: string,
    field: ParquetElement,
    parent: readonly string[],
    above: Level,
    repetition: Repetition = field.isNullable ? 'OPTIONAL' : 'REQUIRED',
  ): void {
    const path = [...parent, name];
    const level = below(above, repetition);
    const { type } = field;
    const base = {
      name,
      repetition_type: repetition,
      ...(field.fieldId === undefined ? {} : { field_id: field.fieldId }),
    };
    if (isScalar(type)) {
      checkDecimal(type, path);
      const element: SchemaElement = { ...base, ...annotation(type) };
      elements.push(element);
      leaves.push({ path, type, element, maxDefinition: level.definition, maxRepetition: level.repetition });
      return;
    }
    switch (type.kind) {
      case 'struct':
        elements.push({ ...base, num_children: type.fields.length });
        addFields(type.fields, path, level);
        return;
      case 'list':
        elements.push({ ...base, num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } });
        elements.push({ name: 'list', repetition_type: 'REPEATED', num_children: 1 });
        addField('element', type.element, [...path, 'list'], below(level, 'REPEATED'));
        return;
      case 'map':
        elements.push({ ...base, num_children: 1, converted_type: 'MAP', logical_type: { type: 'MAP' } });
        elements.push({ name: 'key_value', repetition_type: 'REPEATED', num_children: 2 });
        addField(
          'key',
          { type: type.key, isNullable: false },
          [...path, 'key_value'],
          below(level, 'REPEATED'),
        );
        addField('value', type.value, [...path, 'key_value'], below(level, 'REPEATED'));
    }
  }

  addFields(fields, [], { definition: 0, repetition: 0 });
  return { fields, elements, leaves };
}

interface Level {
  readonly definition: number;
  readonly repetition: number;
}

function below({ definition, repetition }: Level, kind: Repetition): Level {
  return {
    definition: definition + (kind === 'REQUIRED' ? 0 : 1),
    repetition: repetition + (kind === 'REPEATED' ? 1 : 0),
  };
}

function checkNames(fields: readonly ParquetField[], path: readonly string[]): void {
  const seen = new Set<string>();
  for (const { name } of fields) {
    if (!seen.has(name)) seen.add(name);
    else throw new EosError('EOS_CONFIG', `two fields are called ${shownPath([...path, name])}`);
  }
  if (fields.length === 0) throw new EosError('EOS_CONFIG', `the struct ${shownPath(path)} has no fields`);
}

function checkDecimal(type: ScalarType, path: readonly string[]): void {
  if (type.kind !== 'decimal') return;
  const { precision, scale } = type;
  const isFine =
    Number.isInteger(precision) &&
    Number.isInteger(scale) &&
    precision >= 1 &&
    precision <= MAX_PRECISION &&
    scale >= 0 &&
    scale <= precision;
  if (isFine) return;
  throw new EosError(
    'EOS_CONFIG',
    `${shownPath(path)} is decimal(${precision}, ${scale}): 1 <= precision <= ${MAX_PRECISION} and 0 <= scale <= precision`,
  );
}

export function shownPath(path: readonly string[]): string {
  return JSON.stringify(path.join('.'));
}

const TEXT = { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } } as const;

/**
 * Physical and logical type of a scalar. Converted types, the older notation, are written beside the logical ones where there are any:
 * some readers know only those.
 */
function annotation(type: ScalarType): Omit<SchemaElement, 'name'> {
  switch (type.kind) {
    case 'boolean':
      return { type: 'BOOLEAN' };
    case 'int8':
      return { type: 'INT32', converted_type: 'INT_8' };
    case 'int16':
      return { type: 'INT32', converted_type: 'INT_16' };
    case 'int32':
      return { type: 'INT32' };
    case 'int64':
      return { type: 'INT64' };
    case 'float32':
      return { type: 'FLOAT' };
    case 'float64':
      return { type: 'DOUBLE' };
    case 'string':
      return TEXT;
    case 'json':
      if (type.isText === true) return TEXT;
      return { type: 'BYTE_ARRAY', converted_type: 'JSON', logical_type: { type: 'JSON' } };
    case 'bytes':
      return { type: 'BYTE_ARRAY' };
    case 'uuid':
      if (type.isText === true) return TEXT;
      return { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, logical_type: { type: 'UUID' } };
    case 'date':
      return { type: 'INT32', converted_type: 'DATE', logical_type: { type: 'DATE' } };
    case 'timestamp':
      return {
        type: 'INT64',
        // The older notation always means UTC.
        ...(type.isUtc ? { converted_type: 'TIMESTAMP_MICROS' as const } : {}),
        logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: type.isUtc, unit: 'MICROS' },
      };
    case 'decimal':
      return {
        ...decimalStorage(type.precision),
        converted_type: 'DECIMAL',
        precision: type.precision,
        scale: type.scale,
        logical_type: { type: 'DECIMAL', precision: type.precision, scale: type.scale },
      };
  }
}

/** Parquet's rule for decimals: https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#decimal */
function decimalStorage(precision: number): Omit<SchemaElement, 'name'> {
  if (precision <= 9) return { type: 'INT32' };
  if (precision <= 18) return { type: 'INT64' };
  return { type: 'FIXED_LEN_BYTE_ARRAY', type_length: decimalBytes(precision) };
}
