/** From a value of JSON to a row and its op. */
import { Op } from '../changes.js';
import { messageOf } from '../errors.js';
import type { Columns, InferRow, JsonValue, RowSchema } from '../schema.js';
import { jsonConverter } from './convert.js';
import { inexactNumber, isExact, longNumbers, parseWithText, takesText } from './json-numbers.js';
import { excerpt, formatError, type Place } from './records.js';
import {
  checkOp,
  columnReaders,
  inexactError,
  nullValue,
  rowOf,
  valueError,
  type ColumnReader,
  type OpOptions,
} from './rows.js';

/** Takes the op and the row out of a decoded value. */
export interface RowReader<Row> {
  readonly hasOps: boolean;
  /**
   * The value of a record's text. A number that JSON.parse would round is kept as text where the column takes it, or refused.
   * @throws EOS_SOURCE_FORMAT
   */
  parse(text: string, place: Place): unknown;
  /** @throws EOS_SOURCE_FORMAT */
  op(value: unknown, place: Place): Op;
  /** @throws EOS_SOURCE_FORMAT */
  row(value: unknown, op: Op, place: Place): Row;
}

/** Rows as JSON holds them, any value. With ops: objects, without the member that holds the op. */
export function plainRows(options: OpOptions): RowReader<JsonValue> {
  const { op: name } = options;
  return {
    hasOps: name !== undefined,
    parse(text, place) {
      const value = parseJson(text, place);
      const inexact = longNumbers(text).find((number) => !isExact(number.text));
      if (inexact !== undefined) throw inexactError(inexact.text, place);
      return value;
    },
    op: (value, place) => opOfObject(value, options, place),
    row(value, _op, place) {
      if (name === undefined) return jsonValue(value);
      // eslint-disable-next-line @typescript-eslint/no-unused-vars -- left out of the rest
      const { [name]: taken, ...rest } = checkObject(value, place);
      return rest;
    },
  };
}

/** Rows of a schema: its columns, in its order, converted. Other members are left out. */
export function schemaRows<C extends Columns>(
  schema: RowSchema<C>,
  options: OpOptions,
): RowReader<InferRow<RowSchema<C>>> {
  const columns = columnReaders(schema, options, (type) => ({ convert: jsonConverter(type) }));
  return {
    hasOps: options.op !== undefined,
    parse(text, place) {
      const value = parseJson(text, place);
      if (isObject(value)) keepNumbers(value, text, columns, place);
      return value;
    },
    op: (value, place) => opOfObject(value, options, place),
    row(source, op, place) {
      const object = checkObject(source, place);
      const row: Record<string, unknown> = {};
      for (const column of columns) {
        const { name } = column;
        const raw = column.isInherited && !Object.hasOwn(object, name) ? undefined : object[name];
        const value = raw === undefined || raw === null ? nullValue(column, op, place) : column.convert(raw);
        if (value === undefined) throw valueError(column, raw, place);
        row[name] = value;
      }
      return rowOf<C>(row);
    },
  };
}

/** Puts the text of long numbers where a column takes it. Numbers of float64 are rounded, as that is what the column holds. */
function keepNumbers(
  value: Record<string, unknown>,
  text: string,
  columns: readonly ColumnReader<unknown>[],
  place: Place,
): void {
  const numbers = longNumbers(text);
  if (numbers.length === 0) return;
  const withText = parseWithText(text, numbers);
  if (!isObject(withText)) return;
  for (const { name, type } of columns) {
    if (!Object.hasOwn(value, name)) continue;
    const token = withText[name];
    if (type.kind === 'json') {
      const inexact = inexactNumber(value[name], token);
      if (inexact !== undefined) throw inexactError(inexact, place, name);
    } else if (typeof value[name] === 'number' && typeof token === 'string' && takesText(type.kind, token)) {
      value[name] = token;
    }
  }
}

/** @throws EOS_SOURCE_FORMAT */
function parseJson(text: string, place: Place): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw formatError(place, `${excerpt(text)} is no JSON: ${messageOf(error).slice(0, 100)}`);
  }
}

function opOfObject(value: unknown, options: OpOptions, place: Place): Op {
  if (options.op === undefined) return Op.insert;
  return checkOp(checkObject(value, place)[options.op], options, place);
}

function checkObject(value: unknown, place: Place): Record<string, JsonValue> {
  if (isObject(value)) return value;
  throw formatError(place, `${excerpt(value)} is no object`);
}

/** What JSON.parse returns holds JSON only: its outer shape is all there is to check. */
function isObject(value: unknown): value is Record<string, JsonValue> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function jsonValue(value: unknown): JsonValue {
  // From JSON.parse, which returns nothing else.
  return value as JsonValue;
}
