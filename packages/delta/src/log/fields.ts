/** Members of JSON that others wrote, checked. Null is the same as nothing: writers of Delta differ there. */
import { EosError } from '@eos/core';

export type Fields = Readonly<Record<string, unknown>>;

/** Reads the members of one object; every error names the object and the member. */
export class FieldReader {
  constructor(
    private readonly what: string,
    private readonly fields: Fields,
  ) {}

  text(name: string): string {
    return this.optionalText(name) ?? this.missing(name, 'a text');
  }

  optionalText(name: string): string | undefined {
    const value = this.fields[name] ?? undefined;
    return value === undefined || typeof value === 'string' ? value : this.missing(name, 'a text');
  }

  /** A safe integer: sizes and times. */
  integer(name: string): number {
    return this.optionalInteger(name) ?? this.missing(name, 'an integer');
  }

  optionalInteger(name: string): number | undefined {
    const value = this.fields[name] ?? undefined;
    if (value === undefined) return undefined;
    const number = typeof value === 'bigint' ? Number(value) : value;
    return typeof number === 'number' && Number.isSafeInteger(number)
      ? number
      : this.missing(name, 'an integer');
  }

  /** An integer of 64 bits. */
  long(name: string): bigint {
    return this.optionalLong(name) ?? this.missing(name, 'an integer of 64 bits');
  }

  optionalLong(name: string): bigint | undefined {
    const value = this.fields[name] ?? undefined;
    if (value === undefined) return undefined;
    const isInteger = typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value));
    if (!isInteger) return this.missing(name, 'an integer of 64 bits');
    const long = BigInt(value);
    return BigInt.asIntN(64, long) === long ? long : this.missing(name, 'an integer of 64 bits');
  }

  flag(name: string, otherwise: boolean): boolean {
    return this.optionalFlag(name) ?? otherwise;
  }

  optionalFlag(name: string): boolean | undefined {
    const value = this.fields[name] ?? undefined;
    return value === undefined || typeof value === 'boolean' ? value : this.missing(name, 'true or false');
  }

  /** Undefined where there is none. */
  object(name: string): Fields | undefined {
    const value = this.fields[name] ?? undefined;
    return value === undefined || isFields(value) ? value : this.missing(name, 'an object');
  }

  texts(name: string): readonly string[] | undefined {
    const value = this.fields[name] ?? undefined;
    if (value === undefined) return undefined;
    const isList = Array.isArray(value) && value.every((member) => typeof member === 'string');
    return isList ? value : this.missing(name, 'a list of texts');
  }

  /** A map from text to text; `null` values stay where they may be. */
  textMap(name: string): Readonly<Record<string, string | null>> | undefined {
    const value = this.object(name);
    if (value === undefined) return undefined;
    for (const member of Object.values(value)) {
      if (member !== null && typeof member !== 'string') return this.missing(name, 'a map of texts');
    }
    // Checked above, member by member.
    return value as Readonly<Record<string, string | null>>;
  }

  missing(name: string, expected: string): never {
    throw malformed(`${this.what}: ${name} must be ${expected}`);
  }
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The error of a log that cannot be read. */
export function malformed(problem: string, cause?: unknown): EosError {
  return new EosError('EOS_FORMAT', `the Delta log cannot be read: ${problem}`, {
    ...(cause === undefined ? {} : { cause }),
  });
}
