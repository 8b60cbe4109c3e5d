/** Rows as JSON texts, by writers that are made once for each schema. */
import {
  EosError,
  jsonWriter,
  plainDecimal,
  rowError,
  shownValue,
  type JsonWriter,
  type NumberForms,
  type RowOrigin,
  type RowSchema,
} from '@eos/core';

/** The text of row `index` of a batch. @throws EOS_ROW */
export type RowText = (row: unknown, index: number, origin: RowOrigin) => string;

/** An object with the columns in the order of the schema; null columns are written as null. */
export function objectText(schema: RowSchema, forms: NumberForms = {}): RowText {
  return objectOf(columnWriters(schema, schema.names, forms), 'column');
}

/**
 * The text of a key: equal keys have the same bytes. `json`: an object with the key columns in their order; `text`: the value of a
 * single column without quotes, as other clients write a string or number that is a key.
 * @throws EOS_CONFIG
 */
export function keyText(
  schema: RowSchema,
  key: readonly string[],
  form: 'json' | 'text',
  forms: NumberForms = {},
): RowText {
  const columns = columnWriters(schema, key, forms).map((column) => keyWriter(column, forms));
  const [only] = columns;
  if (form === 'json' || only === undefined) return objectOf(columns, 'key column');
  if (columns.length > 1) {
    throw new EosError('EOS_CONFIG', `keyForm 'text' takes a key of one column, not of ${key.join(', ')}`, {
      details: { option: 'keyForm' },
    });
  }
  return (row, index, origin) => {
    const text = valueText(only, row, index, origin, 'key column');
    if (!text.startsWith('"')) return text;
    const value: unknown = JSON.parse(text);
    return String(value);
  };
}

/** What is known of a column before the first row. */
interface ColumnWriter {
  readonly name: string;
  readonly isNullable: boolean;
  readonly kind: string;
  readonly write: JsonWriter;
}

/** @throws EOS_CONFIG for a name that the schema does not have */
function columnWriters(
  schema: RowSchema,
  names: readonly string[],
  forms: NumberForms,
): readonly ColumnWriter[] {
  return names.map((name) => {
    const column = schema.columns[name];
    if (column === undefined) {
      throw new EosError('EOS_CONFIG', `the schema has no column ${JSON.stringify(name)}`, {
        details: { option: 'key', column: name },
      });
    }
    const { type, isNullable } = column;
    return { name, isNullable, kind: type.kind, write: jsonWriter(type, forms) };
  });
}

/** Equal values of a key must have the same text, whatever text or sign they came with. */
function keyWriter(column: ColumnWriter, forms: NumberForms): ColumnWriter {
  const { name, kind } = column;
  switch (kind) {
    case 'json':
      throw new EosError(
        'EOS_CONFIG',
        `column ${name} of type json cannot be in a key: equal values have different texts`,
        {
          details: { option: 'key', column: name },
        },
      );
    case 'decimal': {
      const quote = forms.decimal === 'number' ? '' : '"';
      const write = (value: unknown) => {
        const isOne = typeof value === 'string' && column.write(value) !== undefined;
        const digits = isOne ? plainDecimal(value) : undefined;
        return digits === undefined ? undefined : `${quote}${digits}${quote}`;
      };
      return { name, kind, isNullable: false, write };
    }
    case 'float64':
      return { name, kind, isNullable: false, write: (value) => column.write(value === 0 ? 0 : value) };
    default:
      return { ...column, isNullable: false };
  }
}

function objectOf(columns: readonly ColumnWriter[], what: string): RowText {
  const parts = columns.map((column, place) => ({
    column,
    prefix: `${place === 0 ? '{' : ','}${JSON.stringify(column.name)}:`,
  }));
  return (row, index, origin) => {
    let text = '';
    for (const { column, prefix } of parts) text += prefix + valueText(column, row, index, origin, what);
    return `${text}}`;
  };
}

function valueText(
  { name, isNullable, kind, write }: ColumnWriter,
  row: unknown,
  index: number,
  origin: RowOrigin,
  what: string,
): string {
  // A row comes from a program: what it has under a column's name is checked below, and nothing else is looked at.
  const value = (row as Readonly<Record<string, unknown>>)[name];
  if (value === undefined || value === null) {
    if (isNullable) return 'null';
    throw rowError(origin, index, `${what} ${name} is null or missing`, name);
  }
  const text = write(value);
  if (text !== undefined) return text;
  throw rowError(origin, index, `${what} ${name}: ${shownValue(value)} is no ${kind}`, name);
}
