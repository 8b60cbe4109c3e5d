/** Reading JSON that somebody else may have written: each value is looked at before it is used. */
import { EosError, MAX_INT64, type JsonValue } from '@eos/core';

/** Members of an object that was read, and what to call it in a message. */
export interface Fields {
  readonly from: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** @throws EOS_FORMAT where the text is no JSON object */
export function parseFields(text: string, from: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw malformed(from, 'is no JSON', error);
  }
  return fieldsOf(value, from);
}

/** @throws EOS_FORMAT */
export function fieldsOf(value: unknown, from: string): Fields {
  if (!isObject(value)) throw malformed(from, 'is no JSON object');
  return { from, values: value };
}

export function text({ values, from }: Fields, name: string): string {
  const value = values[name];
  return typeof value === 'string' ? value : missing(from, name, 'a text');
}

export function oneOf<Choice extends string>(
  fields: Fields,
  name: string,
  choices: readonly Choice[],
): Choice {
  const value = text(fields, name);
  return choices.find((choice) => choice === value) ?? missing(fields.from, name, choices.join(' or '));
}

/** A decimal string of 0 … 2^63 - 1. */
export function bigInteger({ values, from }: Fields, name: string): bigint {
  return bigIntegerOf(values[name], from, name);
}

export function bigIntegerOf(value: unknown, from: string, name: string): bigint {
  if (typeof value === 'string' && /^\d{1,19}$/.test(value)) {
    const number = BigInt(value);
    if (number <= MAX_INT64) return number;
  }
  return missing(from, name, 'an integer as text');
}

export function bigIntegerOrNull(value: unknown, from: string, name: string): bigint | null {
  return value === null ? null : bigIntegerOf(value, from, name);
}

/** A JSON number that is a safe integer, 0 or more. */
export function count({ values, from }: Fields, name: string): number {
  const value = values[name];
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
    ? value
    : missing(from, name, 'a whole number');
}

export function list({ values, from }: Fields, name: string): readonly unknown[] {
  const value: unknown = values[name];
  return Array.isArray(value) ? value : missing(from, name, 'a list');
}

export function texts(fields: Fields, name: string): readonly string[] {
  return list(fields, name).map((value) =>
    typeof value === 'string' ? value : missing(fields.from, name, 'a list of texts'),
  );
}

/** The members of an object, in the order of the text. */
export function members({ values, from }: Fields, name: string): readonly (readonly [string, unknown])[] {
  const value = values[name];
  return isObject(value) ? Object.entries(value) : missing(from, name, 'an object');
}

/** What JSON.parse returns is JSON by construction. */
export function isJson(value: unknown): value is JsonValue {
  return value !== undefined;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function malformed(from: string, problem: string, cause?: unknown): EosError {
  return new EosError('EOS_FORMAT', `${from} ${problem}`, {
    details: { object: from },
    ...(cause === undefined ? {} : { cause }),
  });
}

function missing(from: string, name: string, expected: string): never {
  throw malformed(from, `has no valid ${name} (${expected})`);
}
