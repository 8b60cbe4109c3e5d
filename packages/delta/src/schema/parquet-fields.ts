/** Columns of a Delta table as fields of its Parquet files. */
import type { ParquetElement, ParquetField, ParquetType } from '@eos/parquet';
import type { DeltaField, DeltaType } from './delta-schema.js';
import { eosKindOf } from './eos-columns.js';

/**
 * The fields of a data file: the columns in order, without those of the partition, whose values the log has, and without `void`, which is
 * never written.
 */
export function dataFields(
  fields: readonly DeltaField[],
  partitionColumns: readonly string[] = [],
): readonly ParquetField[] {
  return fields.flatMap((field) => {
    if (partitionColumns.includes(field.name)) return [];
    return parquetField(field);
  });
}

function parquetField(field: DeltaField): readonly ParquetField[] {
  const { name, type, isNullable } = field;
  // Rows have values for it, which are written as their text.
  const kind = eosKindOf(field);
  if (kind !== undefined) return [{ name, type: { kind, isText: true }, isNullable }];
  const found = parquetType(type);
  return found === undefined ? [] : [{ name, type: found, isNullable }];
}

function parquetType(type: DeltaType): ParquetType | undefined {
  switch (type.kind) {
    case 'boolean':
    case 'string':
    case 'date':
      return { kind: type.kind };
    case 'byte':
      return { kind: 'int8' };
    case 'short':
      return { kind: 'int16' };
    case 'integer':
      return { kind: 'int32' };
    case 'long':
      return { kind: 'int64' };
    case 'float':
      return { kind: 'float32' };
    case 'double':
      return { kind: 'float64' };
    case 'binary':
      return { kind: 'bytes' };
    case 'timestamp':
      return { kind: 'timestamp', isUtc: true };
    case 'timestamp_ntz':
      return { kind: 'timestamp', isUtc: false };
    case 'decimal':
      return type;
    case 'struct':
      return structType(type.fields);
    case 'array':
      return listType(type.element, type.containsNull);
    case 'map':
      return mapType(type.key, type.value, type.valueContainsNull);
    case 'void':
      return undefined;
  }
}

/** A struct of nothing but `void` has nothing to write. */
function structType(fields: readonly DeltaField[]): ParquetType | undefined {
  const written = fields.flatMap(parquetField);
  return written.length === 0 ? undefined : { kind: 'struct', fields: written };
}

function listType(element: DeltaType, isNullable: boolean): ParquetType | undefined {
  const type = parquetType(element);
  return type === undefined ? undefined : { kind: 'list', element: { type, isNullable } };
}

function mapType(keyType: DeltaType, valueType: DeltaType, isNullable: boolean): ParquetType | undefined {
  const [key, type] = [parquetType(keyType), parquetType(valueType)];
  if (key === undefined || type === undefined) return undefined;
  const value: ParquetElement = { type, isNullable };
  return { kind: 'map', key, value };
}
