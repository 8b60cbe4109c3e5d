/** Row schemas as a file of configuration writes them: `{ id: int64, price: 'decimal(12, 2)', note: string? }`. */
import { EosError } from './errors.js';
import type { OptionSchema } from './connector-package.js';
import { rowSchema, t, type Column, type JsonValue, type RowSchema } from './schema.js';

const PLAIN = [
  'boolean',
  'int32',
  'int64',
  'float64',
  'string',
  'bytes',
  'date',
  'timestamp',
  'json',
  'uuid',
];
const PATTERN = `^(${PLAIN.join('|')}|decimal( *\\( *[0-9]{1,4} *(, *[0-9]{1,4} *)?\\))?)\\??$`;

/** The JSON schema of what {@link rowSchemaOf} reads. */
export const COLUMNS_SCHEMA: OptionSchema = {
  description:
    'Names and types of the columns: boolean, int32, int64, float64, decimal, decimal(precision, scale), string, bytes, date, ' +
    'timestamp, json, uuid. A question mark at the end: the column may be null.',
  type: 'object',
  minProperties: 1,
  additionalProperties: {
    anyOf: [
      { type: 'string', enum: [...PLAIN, 'decimal'].flatMap((kind) => [kind, `${kind}?`]) },
      { type: 'string', pattern: PATTERN },
    ],
  },
  examples: [{ id: 'int64', note: 'string?' }],
};

/**
 * Reads a row schema.
 * @throws EOS_CONFIG naming the column in `details.column`, and `option` in `details.option`
 */
export function rowSchemaOf(columns: JsonValue, option = 'schema'): RowSchema {
  if (typeof columns !== 'object' || columns === null || isList(columns)) {
    throw new EosError('EOS_CONFIG', `${option} must map names of columns to types`, { details: { option } });
  }
  const read = Object.entries(columns).map(([name, text]): [string, Column] => [
    name,
    columnOf(name, text, option),
  ]);
  return rowSchema(Object.fromEntries(read));
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function columnOf(name: string, text: JsonValue, option: string): Column {
  const parts =
    typeof text === 'string'
      ? /^(\w+)(?: *\( *(\d+) *(?:, *(\d+) *)?\))?(\?)?$/.exec(text.trim())
      : undefined;
  const [, kind, precision, scale, isNullable] = parts ?? [];
  const column = kind === undefined ? undefined : makeColumn(kind, precision, scale);
  if (column === undefined) {
    const message = `${option}: column ${JSON.stringify(name)} has no type of a column: ${JSON.stringify(text)}`;
    throw new EosError('EOS_CONFIG', `${message} (such as int64, string?, decimal(12, 2))`, {
      details: { option, column: name },
    });
  }
  return isNullable === undefined ? column : column.nullable();
}

function makeColumn(
  kind: string,
  precision: string | undefined,
  scale: string | undefined,
): Column | undefined {
  if (kind === 'decimal') {
    return precision === undefined ? t.decimal() : t.decimal(Number(precision), Number(scale ?? 0));
  }
  if (precision !== undefined || !isPlain(kind)) return undefined;
  return t[kind]();
}

function isPlain(kind: string): kind is Exclude<keyof typeof t, 'decimal'> {
  return PLAIN.includes(kind);
}
