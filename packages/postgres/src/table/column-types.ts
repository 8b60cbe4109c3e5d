/** The column that is made for each kind of value. */
import type { ColumnType } from '@eos/core';

export function sqlType(type: ColumnType): string {
  switch (type.kind) {
    case 'boolean':
      return 'boolean';
    case 'int32':
      return 'integer';
    case 'int64':
      return 'bigint';
    case 'float64':
      return 'double precision';
    case 'decimal':
      return type.precision === undefined ? 'numeric' : `numeric(${type.precision}, ${type.scale ?? 0})`;
    case 'string':
      return 'text';
    case 'bytes':
      return 'bytea';
    case 'date':
      return 'date';
    case 'timestamp':
      return 'timestamptz';
    case 'json':
      return 'jsonb';
    case 'uuid':
      return 'uuid';
  }
}
