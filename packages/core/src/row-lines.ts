/** Rows as lines that `eos verify` compares (see `TableSnapshot`): equal values, and only those, have equal fields. */
import { isRetraction, type ChangeBatch } from './changes.js';
import { jsonWriter, plainDecimal } from './json-values.js';
import type { RowSchema } from './schema.js';
import type { EncodedRows } from './table-reader.js';

const NULL = '\\N';

interface LineColumn {
  readonly name: string;
  readonly isKey: boolean;
  readonly isNullable: boolean;
  /** Undefined where the value is none of the column. */
  readonly text: (value: unknown) => string | undefined;
}

export interface RowLines {
  /** Those of the key first. */
  readonly columns: readonly string[];
  /** In upsert mode, a change that takes a row away needs its key only. */
  readonly encode: (batch: Pick<ChangeBatch<unknown>, 'rows' | 'ops'>) => EncodedRows;
}

export function rowLines(schema: RowSchema, key: readonly string[]): RowLines {
  const names = [...key, ...schema.names.filter((name) => !key.includes(name))];
  const columns = names.flatMap((name): LineColumn[] => {
    const column = schema.columns[name];
    if (column === undefined) return [];
    const { type, isNullable } = column;
    return [{ name, isKey: key.includes(name), isNullable, text: fieldWriter(type) }];
  });
  return {
    columns: columns.map(({ name }) => name),
    encode({ rows, ops }) {
      const leftOut: number[] = [];
      let lines = '';
      for (const [index, row] of rows.entries()) {
        const line = lineOf(columns, row, key.length > 0 && isRetraction(ops?.[index] ?? 0));
        if (line === undefined) leftOut.push(index);
        else lines += `${line}\n`;
      }
      return { lines: Buffer.from(lines), leftOut, deadLetters: 0 };
    },
  };
}

/** Undefined where a value does not fit its column. */
function lineOf(columns: readonly LineColumn[], row: unknown, isKeyOnly: boolean): string | undefined {
  const values = row as Readonly<Record<string, unknown>>;
  let line = '';
  for (const [index, { name, isKey, isNullable, text }] of columns.entries()) {
    const value = values[name];
    let field: string | undefined = NULL;
    if (value !== null && value !== undefined) field = text(value);
    else if (!isNullable && (isKey || !isKeyOnly)) return undefined;
    if (field === undefined) return undefined;
    line += index === 0 ? field : `\t${field}`;
  }
  return line;
}

function fieldWriter(type: RowSchema['columns'][string]['type']): (value: unknown) => string | undefined {
  const write = jsonWriter(type);
  switch (type.kind) {
    case 'string':
      return (value) => (write(value) === undefined ? undefined : escaped(String(value)));
    case 'decimal':
      // 1.5 and 1.50 are one value.
      return (value) => (write(value) === undefined ? undefined : plainDecimal(String(value)));
    case 'json':
      return (value) => {
        const text = write(value);
        return text === undefined ? undefined : escaped(text);
      };
    default:
      return (value) => write(value)?.replaceAll('"', '');
  }
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

function escaped(text: string): string {
  return text.replace(/[\\\t\n\r]/g, (character) => ESCAPES[character] ?? character);
}
