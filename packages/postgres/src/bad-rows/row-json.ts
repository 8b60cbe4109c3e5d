/**
 * Any row as JSON that a person can read and mend, and back again: a bigint is its digits, a Date its ISO form, bytes are hex. Beside it
 * stand the types of those members that JSON alone would not bring back.
 */
import { EosError } from '@eos/core';
import { NOT_IN_JSONB } from '../copy/json-refused.js';

/** How a member is to be read: `bigint`, `date`, `bytes`, `number` (NaN, an infinity, -0), `text` (escaped) or `json` (a text of it). */
type MemberType = 'bigint' | 'date' | 'bytes' | 'number' | 'text' | 'json';

/** A row in the form in which it is stored: both are JSON texts. */
export interface RowJson {
  readonly row: string;
  /** By member; undefined where JSON alone will do. The row itself, where it is no object, has the name ``. */
  readonly types: string | undefined;
}

type Encoded = readonly [json: string, type?: MemberType];

export function rowJson(row: unknown): RowJson {
  if (!isPlain(row)) {
    const [json, type] = encode(row);
    return { row: json, types: type === undefined ? undefined : JSON.stringify({ '': type }) };
  }
  const types: Record<string, MemberType> = {};
  const members = Object.entries(row).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const [json, type] = encode(value);
    const safeName = NOT_IN_JSONB.test(JSON.stringify(name)) ? escaped(name) : name;
    if (type !== undefined) types[safeName] = type;
    return [`${JSON.stringify(safeName)}:${json}`];
  });
  const hasTypes = Object.keys(types).length > 0;
  return { row: `{${members.join()}}`, types: hasTypes ? JSON.stringify(types) : undefined };
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Date) &&
    !(value instanceof Uint8Array)
  );
}

function encode(value: unknown): Encoded {
  switch (typeof value) {
    case 'bigint':
      return [`"${value}"`, 'bigint'];
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
        ? [String(value)]
        : [numberText(value), 'number'];
    case 'string':
      return encodeText(value);
    case 'boolean':
      return [String(value)];
    case 'object':
      return encodeObject(value);
    default:
      // A function or a symbol, which no column takes: its kind says enough.
      return [JSON.stringify(typeof value)];
  }
}

function numberText(value: number): string {
  return JSON.stringify(Object.is(value, -0) ? '-0' : String(value));
}

function encodeText(text: string): Encoded {
  const json = JSON.stringify(text);
  return NOT_IN_JSONB.test(json) ? [JSON.stringify(escaped(text)), 'text'] : [json];
}

/** The text as JSON writes it, between its quotes. */
function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function encodeObject(value: object | null): Encoded {
  if (value instanceof Date) {
    return [Number.isNaN(value.getTime()) ? '"invalid"' : JSON.stringify(value), 'date'];
  }
  if (value instanceof Uint8Array) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return [`"${bytes.toString('hex')}"`, 'bytes'];
  }
  const json = textOf(value);
  return NOT_IN_JSONB.test(json) ? [JSON.stringify(json), 'json'] : [json];
}

/** What has no JSON (a cycle, a bigint within) is told by its text. */
function textOf(value: object | null): string {
  try {
    // Its type says string, but a toJSON may return anything.
    const text: unknown = JSON.stringify(value);
    return typeof text === 'string' ? text : 'null';
  } catch {
    return JSON.stringify(Object.prototype.toString.call(value));
  }
}

/**
 * Reads {@link rowJson} back, also after a person has mended the row.
 * @throws EOS_SOURCE_FORMAT where a member cannot be read as its type
 */
export function parseRowJson({ row, types }: RowJson): unknown {
  const value: unknown = JSON.parse(row);
  if (types === undefined) return value;
  const names: unknown = JSON.parse(types);
  if (typeof names !== 'object' || names === null) return value;
  if (!isPlain(value)) return '' in names ? decode('', names[''], value) : value;
  const read = Object.entries(names).filter(([name]) => name in value);
  return {
    ...value,
    ...Object.fromEntries(read.map(([name, type]) => [name, decode(name, type, value[name])])),
  };
}

function decode(name: string, type: unknown, value: unknown): unknown {
  if (value === null) return null;
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  if (typeof text !== 'string') return value;
  try {
    return decodeText(type, text);
  } catch (cause) {
    const message = `member ${JSON.stringify(name)} of a dead letter cannot be read as ${String(type)}`;
    throw new EosError('EOS_SOURCE_FORMAT', message, { cause, details: { column: name } });
  }
}

function decodeText(type: unknown, text: string): unknown {
  switch (type) {
    case 'bigint':
      return BigInt(text);
    case 'date':
      return new Date(text);
    case 'bytes':
      return Uint8Array.from(Buffer.from(text, 'hex'));
    case 'number':
      return Number(text);
    case 'text':
      return JSON.parse(`"${text}"`) as unknown;
    case 'json':
      return JSON.parse(text) as unknown;
    default:
      return text;
  }
}
