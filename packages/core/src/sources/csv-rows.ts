/** From the fields of a CSV record to a row and its op. */
import { Op } from '../changes.js';
import type { Columns, InferRow, RowSchema } from '../schema.js';
import { textConverter } from './convert.js';
import type { CsvFields } from './csv-fields.js';
import {
  checkOp,
  columnReaders,
  nullValue,
  rowOf,
  valueError,
  type ColumnReader,
  type OpOptions,
} from './rows.js';
import { formatError, type Place } from './records.js';

/** Makes rows of the records of one text, whose columns are known. */
export interface CsvRows<Row> {
  /** How many fields a record has. */
  readonly width: number;
  /** @throws EOS_SOURCE_FORMAT */
  op(values: readonly string[], place: Place): Op;
  /** @throws EOS_SOURCE_FORMAT */
  row(fields: CsvFields, op: Op, place: Place): Row;
}

/** Rows of text, one member for each column. */
export function textRows(
  names: readonly string[],
  options: OpOptions,
  place: Place,
): CsvRows<Record<string, string>> {
  checkNames(names, place);
  const opIndex = opColumn(names, options, place);
  const width = names.length;
  return {
    width,
    op: (values) => (opIndex === -1 ? Op.insert : checkOp(values[opIndex], options, place)),
    row({ values }) {
      const row: Record<string, string> = {};
      for (let index = 0; index < width; index++) {
        if (index !== opIndex) row[names[index] ?? ''] = values[index] ?? '';
      }
      return row;
    },
  };
}

/**
 * Rows of a schema. An empty field is null where the column may be; one that is quoted is an empty string, where the column is of
 * strings.
 */
export function typedRows<C extends Columns>(
  schema: RowSchema<C>,
  names: readonly string[],
  options: OpOptions,
  place: Place,
): CsvRows<InferRow<RowSchema<C>>> {
  checkNames(names, place);
  const opIndex = opColumn(names, options, place);
  const columns = columnReaders(schema, options, (type) => ({ convert: textConverter(type) }));
  const indexes = columns.map(({ name }) => columnIndex(names, name, place));
  return {
    width: names.length,
    op: (values) => (opIndex === -1 ? Op.insert : checkOp(values[opIndex], options, place)),
    row(fields, op) {
      const row: Record<string, unknown> = {};
      for (let index = 0; index < columns.length; index++) {
        // Both lists are of the same length.
        const column = columns[index] as ColumnReader<string>;
        const field = indexes[index] ?? 0;
        const text = fields.values[field] ?? '';
        const value = isNull(column, text, fields.quoted[field])
          ? nullOf(column, op, place)
          : column.convert(text);
        if (value === undefined) throw valueError(column, text, place);
        row[column.name] = value;
      }
      return rowOf<C>(row);
    },
  };
}

function isNull(column: ColumnReader<string>, text: string, isQuoted: boolean | undefined): boolean {
  return text === '' && !(column.type.kind === 'string' && (isQuoted === true || !column.isNullable));
}

function nullOf(column: ColumnReader<string>, op: Op, place: Place): null {
  return nullValue(column, op, place);
}

function opColumn(names: readonly string[], options: OpOptions, place: Place): number {
  return options.op === undefined ? -1 : columnIndex(names, options.op, place);
}

function columnIndex(names: readonly string[], name: string, place: Place): number {
  const index = names.indexOf(name);
  if (index !== -1) return index;
  throw formatError(place, `there is no column ${name}, only ${names.join(', ').slice(0, 200)}`, {
    column: name,
  });
}

function checkNames(names: readonly string[], place: Place): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index || name === '__proto__');
  if (twice !== undefined)
    throw formatError(place, `${twice} cannot be a name of a column, or is one twice`, { column: twice });
}
