/** Columns of a file as those of an Eos row schema. */
import { EosError, type Column, type ColumnType, type RowSchema } from '@eos/core';
import { isScalar, type ParquetType, type ScalarType } from '../schema/field.js';
import type { FileTree } from './file-tree.js';
import { malformed } from './byte-source.js';

/** How the values of one column of the schema come from those of the file. */
export interface SchemaColumn {
  readonly name: string;
  /** Whether the file has it: else it is null in every row. */
  readonly isInFile: boolean;
  /** Absent: the values are as they should be. */
  readonly convert?: (value: unknown) => unknown;
  readonly isNullable: boolean;
}

/**
 * Columns of the schema by name. A nullable column that the file has not is null; columns of the file that the schema has not are
 * not read.
 * @throws EOS_SCHEMA for a column that the file lacks and that may not be null, or that is of another type there
 */
export function schemaColumns(
  { fields }: FileTree,
  schema: RowSchema,
  names?: readonly string[],
): readonly SchemaColumn[] {
  return (names ?? schema.names).map((name) => {
    const column = schema.columns[name];
    if (column === undefined) {
      throw new EosError('EOS_CONFIG', `the schema has no column ${JSON.stringify(name)}`, {
        details: { column: name },
      });
    }
    const field = fields.find((candidate) => candidate.name === name);
    return field === undefined ? missing(name, column) : present(name, column, field.type);
  });
}

function missing(name: string, { isNullable }: Column): SchemaColumn {
  if (isNullable) return { name, isInFile: false, isNullable };
  throw new EosError('EOS_SCHEMA', `the file has no column ${JSON.stringify(name)}, which may not be null`, {
    details: { column: name },
  });
}

function present(name: string, { type, isNullable }: Column, found: ParquetType): SchemaColumn {
  const conversion = isScalar(found) ? conversionOf(type, found) : undefined;
  if (conversion === undefined) {
    throw new EosError(
      'EOS_SCHEMA',
      `column ${JSON.stringify(name)} is ${found.kind} in the file, not ${type.kind}`,
      {
        details: { column: name, expected: type.kind, found: found.kind },
      },
    );
  }
  // JSON has a null of its own.
  const base = { name, isInFile: true, isNullable: isNullable || type.kind === 'json' };
  return conversion === 'none' ? base : { ...base, convert: conversion };
}

/** Only what loses nothing. */
function conversionOf(
  type: ColumnType,
  found: ScalarType,
): 'none' | ((value: unknown) => unknown) | undefined {
  const isNarrow = found.kind === 'int8' || found.kind === 'int16' || found.kind === 'int32';
  switch (type.kind) {
    case 'int32':
      return isNarrow ? 'none' : undefined;
    case 'int64':
      if (isNarrow) return (value) => BigInt(Number(value));
      return found.kind === 'int64' ? 'none' : undefined;
    case 'float64':
      return found.kind === 'float64' || found.kind === 'float32' ? 'none' : undefined;
    case 'decimal':
      if (isNarrow || found.kind === 'int64') return String;
      return found.kind === 'decimal' ? 'none' : undefined;
    case 'json':
      if (found.kind === 'string') return parseJson;
      return found.kind === 'json' ? 'none' : undefined;
    case 'uuid':
      return found.kind === 'uuid' || found.kind === 'string' ? 'none' : undefined;
    default:
      return found.kind === type.kind ? 'none' : undefined;
  }
}

function parseJson(text: unknown): unknown {
  try {
    const value: unknown = JSON.parse(String(text));
    return value;
  } catch (error) {
    throw malformed('a json column holds something that is no JSON', error);
  }
}
