/** Eos row schemas as fields of a Parquet file. */
import { EosError, type ColumnType, type RowSchema } from '@eos/core';
import type { ParquetField, ScalarType } from './field.js';

export interface RowFieldOptions {
  /** How a uuid is written: as 16 bytes with the logical type UUID (default), or as text in lower case. Delta has text only. */
  readonly uuid?: 'uuid' | 'string';
  /** How json is written: as text with the logical type JSON (default), or as plain text. Delta has plain text only. */
  readonly json?: 'json' | 'string';
}

/**
 * The fields of a row schema, in order.
 * @throws EOS_CONFIG for a decimal without a precision, or with one above 38: Parquet's readers have none
 */
export function rowFields(schema: RowSchema, options: RowFieldOptions = {}): readonly ParquetField[] {
  return schema.names.flatMap((name) => {
    const column = schema.columns[name];
    if (column === undefined) return [];
    return [{ name, type: scalarOf(name, column.type, options), isNullable: column.isNullable }];
  });
}

function scalarOf(name: string, type: ColumnType, options: RowFieldOptions): ScalarType {
  switch (type.kind) {
    case 'decimal':
      return decimalOf(name, type.precision, type.scale ?? 0);
    case 'timestamp':
      return { kind: 'timestamp', isUtc: true };
    case 'uuid':
      return options.uuid === 'string' ? { kind: 'uuid', isText: true } : { kind: 'uuid' };
    case 'json':
      return options.json === 'string' ? { kind: 'json', isText: true } : { kind: 'json' };
    default:
      return { kind: type.kind };
  }
}

/** The most digits that readers of Parquet and Delta hold. */
export const MAX_PRECISION = 38;

function decimalOf(name: string, precision: number | undefined, scale: number): ScalarType {
  if (precision !== undefined && precision <= MAX_PRECISION) return { kind: 'decimal', precision, scale };
  const found = precision === undefined ? 'decimal' : `decimal(${precision}, ${scale})`;
  throw new EosError(
    'EOS_CONFIG',
    `column ${JSON.stringify(name)} is ${found}, but a Parquet file needs decimal(precision, scale) with a precision up to ${MAX_PRECISION}`,
    { details: { column: name } },
  );
}
