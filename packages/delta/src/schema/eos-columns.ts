/** Row schemas of Eos as columns of a Delta table, and back. */
import { EosError, t, rowSchema, type Column, type ColumnType, type RowSchema } from '@eos/core';
import type { DeltaField, DeltaSchema, DeltaType } from './delta-schema.js';

/**
 * Delta has neither json nor uuid: both are texts there, and this member of a column's metadata says what they are to Eos. Other writers
 * keep it, and need not know it.
 */
const KIND = 'eos.kind';

/** What a text of the table is to Eos. */
export function eosKindOf({ type, metadata }: DeltaField): 'json' | 'uuid' | undefined {
  const kind = metadata[KIND];
  return type.kind === 'string' && (kind === 'json' || kind === 'uuid') ? kind : undefined;
}

/**
 * The columns of a table for rows of this schema.
 * @throws EOS_CONFIG for a decimal without precision, or with one above 38; for names that differ in case only
 */
export function deltaSchemaOf(schema: RowSchema): DeltaSchema {
  const seen = new Map<string, string>();
  const fields = schema.names.flatMap((name): DeltaField[] => {
    const column = schema.columns[name];
    if (column === undefined) return [];
    const same = seen.get(name.toLowerCase());
    if (same !== undefined)
      throw wrong(name, `differs from column ${JSON.stringify(same)} in case only, and Delta ignores case`);
    seen.set(name.toLowerCase(), name);
    return [fieldOf(name, column)];
  });
  return { fields };
}

function fieldOf(name: string, { type, isNullable }: Column): DeltaField {
  const kind = type.kind === 'json' || type.kind === 'uuid' ? { [KIND]: type.kind } : {};
  return { name, type: deltaType(name, type), isNullable, metadata: kind };
}

function deltaType(name: string, type: ColumnType): DeltaType {
  switch (type.kind) {
    case 'boolean':
    case 'date':
    case 'timestamp':
    case 'string':
      return { kind: type.kind };
    case 'int32':
      return { kind: 'integer' };
    case 'int64':
      return { kind: 'long' };
    case 'float64':
      return { kind: 'double' };
    case 'bytes':
      return { kind: 'binary' };
    case 'json':
    case 'uuid':
      return { kind: 'string' };
    case 'decimal': {
      const { precision, scale = 0 } = type;
      if (precision === undefined || precision > 38)
        throw wrong(name, 'is a decimal: Delta needs decimal(precision, scale) with a precision up to 38');
      return { kind: 'decimal', precision, scale };
    }
  }
}

/**
 * The Eos column that holds what a column of the table holds; undefined where there is none (lists, structs, maps, timestamps without
 * a zone, floats of 32 bits).
 */
export function eosColumnOf(field: DeltaField): Column | undefined {
  const column = notNullColumn(field);
  return field.isNullable ? column?.nullable() : column;
}

function notNullColumn(field: DeltaField): Column | undefined {
  const { type } = field;
  switch (type.kind) {
    case 'boolean':
      return t.boolean();
    case 'byte':
    case 'short':
    case 'integer':
      return t.int32();
    case 'long':
      return t.int64();
    case 'double':
      return t.float64();
    case 'binary':
      return t.bytes();
    case 'date':
      return t.date();
    case 'timestamp':
      return t.timestamp();
    case 'decimal':
      return t.decimal(type.precision, type.scale);
    case 'string': {
      const kind = eosKindOf(field) ?? 'string';
      return t[kind]();
    }
    default:
      return undefined;
  }
}

/** The row schema of a table; undefined where it has a column that Eos has no type for. */
export function rowSchemaOfTable({ fields }: DeltaSchema): RowSchema | undefined {
  const columns: Record<string, Column> = {};
  for (const field of fields) {
    const column = eosColumnOf(field);
    if (column === undefined || field.name === '' || /^\d+$/.test(field.name)) return undefined;
    columns[field.name] = column;
  }
  return fields.length === 0 ? undefined : rowSchema(columns);
}

function wrong(column: string, problem: string): EosError {
  return new EosError('EOS_CONFIG', `schema: column ${JSON.stringify(column)} ${problem}`, {
    details: { option: 'schema', column },
  });
}
