import { rowSchema, t, type ColumnKind, type RowInput } from '@eos/core';

/** The rows of the suite: a column of every kind. A harness makes its table, topic or prefix for them. */
export const conformanceSchema = rowSchema({
  id: t.int64(),
  flag: t.boolean().nullable(),
  small: t.int32().nullable(),
  big: t.int64().nullable(),
  ratio: t.float64().nullable(),
  amount: t.decimal(38, 9).nullable(),
  name: t.string().nullable(),
  raw: t.bytes().nullable(),
  day: t.date().nullable(),
  moment: t.timestamp().nullable(),
  document: t.json().nullable(),
  reference: t.uuid().nullable(),
});

export type ConformanceRow = RowInput<typeof conformanceSchema>;

/** Columns of the key, for a sink in `upsert` mode. */
export const conformanceKey: readonly string[] = ['id'];

/** A good value of its type, which a destination with dead letters rejects all the same: by a CHECK, for example. */
export const rejectedName = 'rejected by the destination';

/**
 * A row as a harness reads it back, by column name. Integers and timestamps (microseconds) may be bigints, numbers or decimal
 * text, a timestamp also a Date; floats may be text; `document` is parsed. Columns that the schema lacks are left out of account.
 */
export type FoundRow = Readonly<Record<string, unknown>>;

/** The same row with each value in the one form that the suite compares. */
export function normalRow(row: FoundRow): FoundRow {
  const normal: Record<string, unknown> = {};
  for (const [name, { type }] of Object.entries(conformanceSchema.columns)) {
    const value = row[name];
    if (value !== null && value !== undefined) normal[name] = normalValue(type.kind, value);
  }
  return normal;
}

function normalValue(kind: ColumnKind, value: unknown): unknown {
  switch (kind) {
    case 'int32':
    case 'float64':
      return typeof value === 'string' ? Number(value) : value;
    case 'int64':
    case 'timestamp':
      return isIntegerLike(value) ? BigInt(value) : value;
    case 'decimal':
      return typeof value === 'string' ? normalDecimal(value) : value;
    case 'uuid':
      return typeof value === 'string' ? value.toLowerCase() : value;
    case 'json':
      return jsonText(value);
    default:
      return value;
  }
}

function isIntegerLike(value: unknown): value is string | number {
  return typeof value === 'string' ? /^-?\d+$/.test(value) : Number.isInteger(value);
}

/** `-012.50` is `-12.5`. */
function normalDecimal(text: string): string {
  const match = /^([+-]?)0*(\d*?)(?:\.(\d*?)0*)?$/.exec(text);
  if (match === null) return text;
  const [, sign, whole = '', fraction = ''] = match;
  const digits = `${whole === '' ? '0' : whole}${fraction === '' ? '' : `.${fraction}`}`;
  return sign === '-' && digits !== '0' ? `-${digits}` : digits;
}

/** JSON with its keys sorted. Not rowText: in JSON a null is not the same as nothing. */
function jsonText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(jsonText).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${jsonText(member)}`).join()}}`;
}
