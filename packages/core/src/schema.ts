import { EosError } from './errors.js';

/** What JSON can hold. Numbers are as exact as JavaScript's. */
export type JsonValue =
  null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** The type of a column. `decimal` without precision holds any; with it, `scale` digits follow the point. */
export type ColumnType =
  | {
      readonly kind:
        | 'boolean'
        | 'int32'
        | 'int64'
        | 'float64'
        | 'string'
        | 'bytes'
        | 'date'
        | 'timestamp'
        | 'json'
        | 'uuid';
    }
  | { readonly kind: 'decimal'; readonly precision?: number; readonly scale?: number };

export type ColumnKind = ColumnType['kind'];

/** The JavaScript value of a column of each kind, as sources hand it out. */
export interface ColumnValues {
  boolean: boolean;
  /** An integer in -2^31 … 2^31 - 1. */
  int32: number;
  int64: bigint;
  float64: number;
  /** Decimal digits with an optional sign and point, such as `-12.50`: never through a binary number. */
  decimal: string;
  string: string;
  bytes: Uint8Array;
  /** `YYYY-MM-DD`. */
  date: string;
  /** Microseconds since 1970-01-01 UTC. */
  timestamp: bigint;
  json: JsonValue;
  /** 8-4-4-4-12 hexadecimal digits. */
  uuid: string;
}

/** What sinks take for a column of each kind: also what programs have at hand. */
export interface ColumnInputs extends Omit<ColumnValues, 'int64' | 'timestamp'> {
  /** A bigint, or a number that is a safe integer. */
  int64: bigint | number;
  /** Microseconds since 1970-01-01 UTC as a bigint, or a Date (milliseconds). */
  timestamp: bigint | Date;
}

/** One column: its type, and whether it may be null. */
export interface Column<Kind extends ColumnKind = ColumnKind, Nullable extends boolean = boolean> {
  readonly type: ColumnType & { readonly kind: Kind };
  readonly isNullable: Nullable;
  /** The same column, that may be null (or left out of a row). */
  nullable(): Column<Kind, true>;
}

export type Columns = Readonly<Record<string, Column>>;

/** Names and types of the columns of a row, in order. */
export interface RowSchema<C extends Columns = Columns> {
  readonly columns: C;
  readonly names: readonly string[];
}

type Value<C, Values extends Record<ColumnKind, unknown>> =
  C extends Column<infer Kind, infer Nullable>
    ? Values[Kind] | (Nullable extends true ? null : never)
    : never;
type RequiredNames<C extends Columns> = {
  [N in keyof C]: C[N] extends Column<ColumnKind, true> ? never : N;
}[keyof C];
type OptionalNames<C extends Columns> = Exclude<keyof C, RequiredNames<C>>;
type Row<C extends Columns, Values extends Record<ColumnKind, unknown>> = {
  -readonly [N in RequiredNames<C>]: Value<C[N], Values>;
} & { -readonly [N in OptionalNames<C>]?: Value<C[N], Values> | undefined };

/** The type of a row as a source hands it out: `type Flight = InferRow<typeof flights>`. Nullable columns may be left out. */
export type InferRow<S> = S extends RowSchema<infer C> ? Row<C, ColumnValues> : never;

/** The type of a row as a sink takes it: any {@link InferRow} of the schema, and numbers and Dates for int64 and timestamp too. */
export type RowInput<S> = S extends RowSchema<infer C> ? Row<C, ColumnInputs> : never;

function column<Kind extends ColumnKind>(type: ColumnType & { readonly kind: Kind }): Column<Kind, false> {
  const nullableColumn: Column<Kind, true> = { type, isNullable: true, nullable: () => nullableColumn };
  return { type, isNullable: false, nullable: () => nullableColumn };
}

/** Makers of columns: `rowSchema({ id: t.int64(), note: t.string().nullable() })`. */
export const t = {
  boolean: () => column({ kind: 'boolean' }),
  int32: () => column({ kind: 'int32' }),
  int64: () => column({ kind: 'int64' }),
  float64: () => column({ kind: 'float64' }),
  /** @throws EOS_CONFIG unless 1 ≤ precision ≤ 1000 and 0 ≤ scale ≤ precision */
  decimal: (precision?: number, scale = 0) => {
    if (precision === undefined) return column({ kind: 'decimal' });
    const valid =
      Number.isInteger(precision) &&
      Number.isInteger(scale) &&
      precision >= 1 &&
      precision <= 1000 &&
      scale >= 0;
    if (!valid || scale > precision) {
      throw new EosError(
        'EOS_CONFIG',
        `decimal(${precision}, ${scale}) needs 1 <= precision <= 1000 and 0 <= scale <= precision`,
      );
    }
    return column({ kind: 'decimal', precision, scale });
  },
  string: () => column({ kind: 'string' }),
  bytes: () => column({ kind: 'bytes' }),
  date: () => column({ kind: 'date' }),
  timestamp: () => column({ kind: 'timestamp' }),
  json: () => column({ kind: 'json' }),
  uuid: () => column({ kind: 'uuid' }),
} as const;

/**
 * Declares the columns of a row.
 * @throws EOS_CONFIG for no columns, an empty name, or an array index as a name (JavaScript would reorder it)
 */
export function rowSchema<const C extends Columns>(columns: C): RowSchema<C> {
  const names = Object.keys(columns);
  if (names.length === 0) throw new EosError('EOS_CONFIG', 'a row schema needs at least one column');
  for (const name of names) {
    if (name === '' || /^\d+$/.test(name)) {
      throw new EosError('EOS_CONFIG', `${JSON.stringify(name)} cannot be the name of a column`, {
        details: { column: name },
      });
    }
  }
  return { columns, names };
}
