/** Texts by which rows and keys are compared in this process. */
import { EosError } from './errors.js';
import type { RowSchema } from './schema.js';

/**
 * The text of any value. A number and a bigint of the same value have the same, -0 and 0 too, and a Date has that of its
 * microseconds, as a timestamp that is a bigint.
 */
export function valueText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
      return value === 0 ? '0' : String(value);
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'object':
      return value === null ? 'null' : objectText(value);
    default:
      return 'null';
  }
}

function objectText(value: object): string {
  if (value instanceof Date) {
    const milliseconds = value.getTime();
    return Number.isNaN(milliseconds) ? 'invalid date' : (BigInt(milliseconds) * 1000n).toString();
  }
  if (value instanceof Uint8Array) {
    return `x"${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}"`;
  }
  if (Array.isArray(value)) return `[${value.map(valueText).join(',')}]`;
  return membersText(value, (member) => member !== undefined);
}

/** The text of a row: a column that is null and one that is left out are the same. */
export function rowText(row: object): string {
  return membersText(row, (column) => column !== undefined && column !== null);
}

function membersText(value: object, isThere: (member: unknown) => boolean): string {
  const members = Object.entries(value)
    .filter(([, member]) => isThere(member))
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${valueText(member)}`);
  return `{${members.join(',')}}`;
}

/**
 * Makes the function that gives the text of a row's key. With a schema, texts that stand for the same value are the same: uuids in
 * upper and lower case, decimals `1.5` and `+01.50`. (A destination may see more as equal, such as a collation: that is the sink's to know.)
 * The function throws EOS_ROW where a key column is null or missing.
 */
export function keyTextOf(key: readonly string[], schema?: RowSchema): (row: object) => string {
  const parts = key.map((name) => ({ name, form: keyForm(schema?.columns[name]?.type.kind) }));
  return (row) => {
    let text = '';
    for (const { name, form } of parts) {
      const value: unknown = Reflect.get(row, name);
      if (value === undefined || value === null) {
        throw new EosError('EOS_ROW', `a row has no value in the key column ${JSON.stringify(name)}`, {
          details: { column: name },
        });
      }
      text += `${form(value)},`;
    }
    return text;
  };
}

function keyForm(kind: string | undefined): (value: unknown) => string {
  if (kind === 'uuid') return (value) => String(value).toLowerCase();
  if (kind === 'decimal') return (value) => decimalText(String(value));
  return valueText;
}

/** Without sign of plus or of zero, leading zeros, and zeros at the end. */
function decimalText(text: string): string {
  const [, sign = '', whole = '', fraction = ''] = /^([+-]?)0*(\d*)\.?(\d*?)0*$/.exec(text.trim()) ?? [
    undefined,
    '',
    text,
  ];
  const digits = `${whole}.${fraction}`;
  return sign === '-' && digits !== '.' ? `-${digits}` : digits;
}
