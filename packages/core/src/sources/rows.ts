/** What the formats share in making rows: ops, the columns of a schema, and the errors of a value. */
import type { ChangelogMode } from '../changelog.js';
import { Op, parseOp } from '../changes.js';
import { EosError } from '../errors.js';
import type { ColumnType, Columns, InferRow, RowSchema } from '../schema.js';
import type { Convert } from './convert.js';
import { isExact, longNumbers } from './json-numbers.js';
import { excerpt, formatError, type Place } from './records.js';

/** How ops are found, for every format. */
export interface OpOptions {
  /** Name of the member or column that holds them; undefined: every row is `+I`. */
  readonly op: string | undefined;
  readonly changelog: ChangelogMode;
}

/** What is known of a column before the first row. */
export interface ColumnReader<From> {
  readonly name: string;
  readonly type: ColumnType;
  readonly isNullable: boolean;
  /** Whether an upsert's `-D`, which may carry its key only, may lack it. */
  readonly isOptionalInDeletes: boolean;
  /** Whether every object has a member of that name, own or not. */
  readonly isInherited: boolean;
  readonly convert: Convert<From>;
}

/** @throws EOS_CONFIG where the column of the ops is one of the rows too */
export function columnReaders<C extends Columns, From>(
  schema: RowSchema<C>,
  options: OpOptions,
  make: (type: ColumnType) => { convert: Convert<From> },
): ColumnReader<From>[] {
  return schema.names.map((name) => {
    const column = schema.columns[name];
    if (column === undefined || name === '__proto__' || name === options.op) {
      throw new EosError(
        'EOS_CONFIG',
        `${name} cannot be both a column of the schema and ${name === options.op ? 'the op' : 'a name'}`,
      );
    }
    const isOptionalInDeletes = options.changelog === 'upsert';
    const { type, isNullable } = column;
    return {
      name,
      type,
      isNullable,
      isOptionalInDeletes,
      isInherited: name in Object.prototype,
      ...make(type),
    };
  });
}

/** The value of a column that a record does not have. */
export function nullValue(column: ColumnReader<never>, op: Op, place: Place): null {
  if (column.isNullable || (op === Op.delete && column.isOptionalInDeletes)) return null;
  throw formatError(place, `column ${column.name} is null or missing, and is not nullable`, {
    column: column.name,
  });
}

export function valueError(column: ColumnReader<never>, raw: unknown, place: Place): EosError {
  const { name, type } = column;
  if (type.kind === 'json' && typeof raw === 'string') {
    const inexact = longNumbers(raw).find(({ text }) => !isExact(text));
    if (inexact !== undefined) return inexactError(inexact.text, place, name);
  }
  const details = { column: name, expected: type.kind, found: excerpt(raw) };
  return formatError(place, `column ${name}: ${excerpt(raw)} is no ${typeText(type)}`, details);
}

/** The error of a JSON number that JSON.parse would change. */
export function inexactError(token: string, place: Place, column?: string): EosError {
  const found = token.length <= 100 ? token : `${token.slice(0, 99)}…`;
  return formatError(
    place,
    `${column === undefined ? '' : `column ${column}: `}the number ${found} would be changed, since a JSON value holds no more ` +
      'than a double does; read it with a schema, as a column of int64, decimal or float64, or write it as a string',
    { found, ...(column === undefined ? {} : { column }) },
  );
}

function typeText(type: ColumnType): string {
  if (type.kind !== 'decimal' || type.precision === undefined) return type.kind;
  return `decimal(${type.precision}, ${type.scale ?? 0})`;
}

/** @throws EOS_SOURCE_FORMAT for a name that is no op, or one that the changelog does not have */
export function checkOp(name: unknown, options: OpOptions, place: Place): Op {
  const op = parseOp(name);
  if (op === undefined) {
    throw formatError(place, `column ${String(options.op)}: ${excerpt(name)} is no +I, -U, +U or -D`, {
      column: options.op,
    });
  }
  if (op !== Op.insert && options.changelog === 'append') {
    throw formatError(place, `${String(name)} in a source that was declared with changelog: 'append'`, {
      column: options.op,
    });
  }
  return op;
}

/** The one place where rows that were built column by column get their type. */
export function rowOf<C extends Columns>(row: Record<string, unknown>): InferRow<RowSchema<C>> {
  // Each column of the schema was set to what its converter made, of the type that InferRow gives it.
  return row as InferRow<RowSchema<C>>;
}
