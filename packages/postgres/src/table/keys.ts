/**
 * Which rows have the same key. The fold of a batch in this process and the unique index of the table must agree on it, else
 * a delete and an insert of one key could change places; columns for which that cannot be had are refused.
 */
import type { ColumnKind } from '@eos/core';
import { field, type Fields } from '../copy/copy-text.js';
import { quoteAll } from '../connection/identifiers.js';
import { schemaError, tableColumn, type Table, type TableColumn } from './table.js';
import type { ColumnEncoder } from '../copy/value-text.js';

/** Two fields of COPY text are the same value for the server if and only if this makes them the same text. */
type Canonical = (field: string) => string;

const asIs: Canonical = (text) => text;

/** What is the same for two rows if and only if the server takes their keys as equal. */
export type KeyValue = string | number;

/** Throws EOS_ROW for a null, and for what does not fit its column. */
export type KeyOf = (row: Fields) => KeyValue;

/**
 * @throws EOS_SCHEMA where the table has no unique index on the key, or a column's equality is not to be had here
 */
export function planKey(table: Table, columns: readonly ColumnEncoder[], key: readonly string[]): KeyOf {
  checkIndex(table, key);
  const parts = key.map((name) => {
    const column = columns.find((candidate) => candidate.name === name);
    if (column === undefined)
      throw schemaError(`the rows leave out the column ${JSON.stringify(name)} of the key`);
    const form = canonicalForm(tableColumn(table, name), column);
    return { ...column, isNullable: false, encode: (value: unknown) => form(column.encode(value)) };
  });
  const text = (row: Fields) => {
    let joined = '';
    // A tab cannot be within a field.
    for (const part of parts) joined += `${field(part, row[part.name])}\t`;
    return joined;
  };
  const [only] = parts.length === 1 ? parts : [];
  return only !== undefined && (only.kind === 'int32' || only.kind === 'int64')
    ? integerKey(only.name, text)
    : text;
}

/** Most keys are one integer: no text needs to be made of one that a number holds exactly. */
function integerKey(name: string, text: KeyOf): KeyOf {
  return (row) => {
    const value = row[name];
    const number = typeof value === 'bigint' ? Number(value) : value;
    return typeof number === 'number' && Number.isSafeInteger(number) ? number : text(row);
  };
}

function checkIndex(table: Table, key: readonly string[]): void {
  const wanted = [...key].sort().join('\0');
  if (table.uniqueKeys.some((columns) => [...columns].sort().join('\0') === wanted)) return;
  const fix = `ALTER TABLE ${table.sql} ADD PRIMARY KEY (${quoteAll(key)})`;
  throw schemaError(`upsert needs a unique index on exactly its key, neither partial nor deferrable: ${fix}`);
}

function canonicalForm(column: TableColumn, { kind }: ColumnEncoder): Canonical {
  const { name, isDeterministic, sqlType } = column;
  const form = isDeterministic ? FORMS[kind]?.[column.isEnum ? 'enum' : column.type] : undefined;
  if (form !== undefined) return form;
  const type = isDeterministic ? sqlType : `${sqlType} with a nondeterministic collation`;
  const problem = `which ${kind} values are equal in a column of type ${type} cannot be told outside of the server`;
  throw schemaError(`${JSON.stringify(name)} cannot be part of the key: ${problem}`);
}

type Forms = Readonly<Record<string, Canonical>>;

const INTEGERS: Forms = { int2: asIs, int4: asIs, int8: asIs, numeric: asIs };
const TIMES: Forms = { timestamptz: asIs, timestamp: asIs };

/** By kind of value and type of column. What a column would round or cut never gets here. */
const FORMS: Readonly<Partial<Record<ColumnKind, Forms>>> = {
  boolean: { bool: asIs },
  int32: INTEGERS,
  int64: INTEGERS,
  float64: { float8: (text) => (text === '-0' ? '0' : text) },
  decimal: { numeric: decimalForm },
  // Spaces at the end of a `char` do not count.
  string: { text: asIs, enum: asIs, varchar: asIs, bpchar: (text) => text.replace(/ +$/, '') },
  bytes: { bytea: asIs },
  date: { date: asIs },
  timestamp: TIMES,
  uuid: { uuid: (text) => text.toLowerCase(), text: asIs },
};

/** `+01.50` and `1.5` are the same number. */
function decimalForm(text: string): string {
  const parts = /^([+-]?)0*(\d*)\.?(\d*?)0*$/.exec(text);
  if (parts === null) return text;
  const [, sign = '', whole = '', fraction = ''] = parts;
  const digits = `${whole}.${fraction}`;
  return sign === '-' && digits !== '.' ? `-${digits}` : digits;
}
