/**
 * How the values of a column are compared: on one side what the server says it holds, on the other what it would say of a value that a
 * row brings. Where that cannot be told here for sure (arrays, `inet`, `real`, …), the server is asked.
 */
import type { ColumnKind } from '@eos/core';
import { quote } from '../connection/identifiers.js';
import type { TableColumn } from '../table/table.js';
import type { ColumnEncoder } from '../copy/value-text.js';

export interface ComparedColumn {
  readonly encoder: ColumnEncoder;
  /** What to select: its COPY text is the same for equal values. */
  readonly select: string;
  /** The same text of a field as it is written; undefined: the server knows it, as `…::sqlType::text`. */
  readonly canonical: ((field: string) => string) | undefined;
  readonly sqlType: string;
  /** A field as people read it. */
  readonly show: (text: string) => string;
}

export function comparedColumn(encoder: ColumnEncoder, column: TableColumn): ComparedColumn {
  const name = quote(column.name);
  const form = formOf(encoder.kind, column);
  return {
    encoder,
    select: form?.select?.(name) ?? (form === undefined ? `${name}::pg_catalog.text` : name),
    canonical: form?.canonical,
    sqlType: column.sqlType,
    show: form?.show ?? ((text) => text),
  };
}

interface Form {
  /** Default: the column as it is. */
  readonly select?: (name: string) => string;
  readonly canonical: (field: string) => string;
  readonly show?: (text: string) => string;
}

const asIs: Form = { canonical: (field) => field };

/** A number by its bits: which digits the server would show is its own affair. 0 and -0 are equal, and so is every NaN. */
const FLOAT: Form = {
  select: (name) =>
    `pg_catalog.encode(pg_catalog.float8send(CASE WHEN ${name} = 'NaN' THEN 'NaN' ELSE ${name} + 0 END), 'hex')`,
  canonical: (field) => {
    BITS.setFloat64(0, Number(field) + 0);
    return hexadecimal(BITS.getUint32(0)) + hexadecimal(BITS.getUint32(4));
  },
  show: (text) => String(Buffer.from(text, 'hex').readDoubleBE()),
};
const BITS = new DataView(new ArrayBuffer(8));

function hexadecimal(number: number): string {
  return number.toString(16).padStart(8, '0');
}

/** Zeros at the end of a fraction say nothing. */
const NUMERIC: Form = { select: (name) => `pg_catalog.trim_scale(${name})`, canonical: numericText };

function numericText(field: string): string {
  const parts = /^([+-]?)0*(\d*)\.?(\d*?)0*$/.exec(field);
  // NaN and the infinities.
  if (parts === null) return field;
  const [, sign = '', whole = '', fraction = ''] = parts;
  if (whole === '' && fraction === '') return '0';
  return `${sign === '-' ? '-' : ''}${whole === '' ? '0' : whole}${fraction === '' ? '' : `.${fraction}`}`;
}

/** An encoder writes the fraction of a second as three or six digits. */
const TIMESTAMPTZ: Form = {
  canonical: (field) => (field.includes('.') ? field.replace(/\.?0+(?=\+00(?: BC)?$)/, '') : field),
};
const TIMESTAMP: Form = { canonical: (field) => TIMESTAMPTZ.canonical(field).replace('+00', '') };

/** COPY TO escapes more than it has to. */
const TEXT: Form = { canonical: textOf };

function textOf(field: string): string {
  return FEW.test(field) ? field.replace(/[\b\f\v]/g, (character) => ESCAPES[character] ?? '') : field;
}

/* eslint-disable-next-line no-control-regex -- these are what is looked for */
const FEW = /[\u0008\u000b\u000c]/;
const ESCAPES: Readonly<Record<string, string>> = { '\b': '\\b', '\f': '\\f', '\v': '\\v' };

/** Spaces at its end do not count. */
const PADDED: Form = {
  select: (name) => `${name}::pg_catalog.text`,
  canonical: (field) => textOf(field.replace(/ +$/, '')),
};

const JSONB: Form = { canonical: jsonbField };
const JSON_TEXT: Form = { select: (name) => `${name}::pg_catalog.jsonb`, canonical: jsonbField };

function jsonbField(field: string): string {
  return escapeField(jsonbText(field.replace(/\\\\/g, '\\')));
}

/** The text that the server shows of JSON as `jsonb`. https://www.postgresql.org/docs/current/datatype-json.html */
export function jsonbText(json: string): string {
  const value: unknown = JSON.parse(json);
  return jsonText(value);
}

function jsonText(value: unknown): string {
  if (typeof value === 'number') return plainNumber(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(jsonText).join(', ')}]`;
  const members = Object.entries(value).map(([name, member]): [Buffer, string] => [
    Buffer.from(name),
    `${JSON.stringify(name)}: ${jsonText(member)}`,
  ]);
  // Shorter names first, in bytes.
  members.sort(([left], [right]) => left.length - right.length || Buffer.compare(left, right));
  return `{${members.map(([, text]) => text).join(', ')}}`;
}

/** Without an exponent, as the server keeps numbers. */
function plainNumber(value: number): string {
  const text = String(value);
  const parts = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (parts === null) return text;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = parts;
  const places = Number(exponent);
  const digits = whole + fraction;
  return sign + (places < 0 ? `0.${'0'.repeat(-places - 1)}${digits}` : digits.padEnd(places + 1, '0'));
}

/** A text as COPY TO shows it. */
export function escapeField(text: string): string {
  return text.replace(/[\\\b\f\n\r\t\v]/g, (character) => ALL_ESCAPES[character] ?? character);
}

const ALL_ESCAPES: Readonly<Record<string, string>> = {
  ...ESCAPES,
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

function formOf(kind: ColumnKind, column: TableColumn): Form | undefined {
  if (column.isEnum) return kind === 'string' ? TEXT : undefined;
  return FORMS[kind][column.type];
}

type Forms = Readonly<Record<string, Form>>;

const TEXTS: Forms = { text: TEXT, varchar: TEXT, bpchar: PADDED };
const INTEGERS: Forms = { int2: asIs, int4: asIs, int8: asIs, numeric: NUMERIC, float8: FLOAT };

/**
 * By kind of value and type of column; what is not here is the server's to say. What a column would round or cut is refused before it
 * comes here.
 */
const FORMS: Readonly<Record<ColumnKind, Forms>> = {
  boolean: { bool: asIs },
  int32: INTEGERS,
  int64: INTEGERS,
  float64: { float8: FLOAT },
  decimal: { numeric: NUMERIC },
  string: TEXTS,
  bytes: { bytea: asIs },
  date: { date: asIs },
  timestamp: { timestamptz: TIMESTAMPTZ, timestamp: TIMESTAMP },
  json: { jsonb: JSONB, json: JSON_TEXT },
  uuid: { ...TEXTS, uuid: { canonical: (field) => field.toLowerCase() } },
};
