import { EosError } from './errors.js';

/** What canonical text can hold: JSON, with bigint for integers. */
export type CanonicalValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly CanonicalValue[]
  | { readonly [key: string]: CanonicalValue | undefined };

/**
 * JSON with its keys sorted by code unit, no white space, and bigints as decimal strings: the same value always gives the
 * same text, in every store and version, so that texts can be compared and digested.
 * @throws EOS_CONFIG for a number that JSON cannot hold
 */
export function canonicalText(value: CanonicalValue): string {
  if (typeof value === 'bigint') return `"${value.toString()}"`;
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new EosError('EOS_CONFIG', `${String(value)} has no canonical text`);
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (isList(value)) return `[${value.map(canonicalText).join(',')}]`;
  const members = Object.keys(value)
    .sort()
    .flatMap((key) => {
      const member = value[key];
      return member === undefined ? [] : [`${JSON.stringify(key)}:${canonicalText(member)}`];
    });
  return `{${members.join(',')}}`;
}

function isList(value: object): value is readonly CanonicalValue[] {
  return Array.isArray(value);
}
