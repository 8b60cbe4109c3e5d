/** What a Parquet file may hold, as a tree of fields: more than an Eos row schema has, since Delta's checkpoints need it. */

/** The type of a leaf: what one value is. */
export type ScalarType =
  | {
      readonly kind:
        | 'boolean'
        | 'int8'
        | 'int16'
        | 'int32'
        | 'int64'
        | 'float32'
        | 'float64'
        | 'string'
        | 'bytes'
        | 'date';
    }
  /** Any JSON value, kept as its text; `isText`: without the logical type that says so, as Delta wants it. */
  | { readonly kind: 'json'; readonly isText?: boolean }
  /** Kept as 16 bytes; `isText`: as text, in lower case. */
  | { readonly kind: 'uuid'; readonly isText?: boolean }
  /** Microseconds since 1970-01-01: of UTC, or of a clock on a wall (`isUtc: false`). */
  | { readonly kind: 'timestamp'; readonly isUtc: boolean }
  /** 1 ≤ precision ≤ 38, 0 ≤ scale ≤ precision. */
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number };

export type ScalarKind = ScalarType['kind'];

export type ParquetType =
  | ScalarType
  | { readonly kind: 'struct'; readonly fields: readonly ParquetField[] }
  | { readonly kind: 'list'; readonly element: ParquetElement }
  /** The key is never null. */
  | { readonly kind: 'map'; readonly key: ParquetType; readonly value: ParquetElement };

/** The element of a list, or the value of a map. */
export interface ParquetElement {
  readonly type: ParquetType;
  readonly isNullable: boolean;
  /** Written as the field's id, as Delta's column mapping and Iceberg want it. */
  readonly fieldId?: number;
}

export interface ParquetField extends ParquetElement {
  readonly name: string;
}

export function isScalar(type: ParquetType): type is ScalarType {
  return type.kind !== 'struct' && type.kind !== 'list' && type.kind !== 'map';
}
