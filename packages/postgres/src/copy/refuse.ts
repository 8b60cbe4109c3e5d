import { EosError } from '@eos/core';

/** A value does not fit its column, for this reason. Whoever knows the column and the row adds them. */
export function refuse(reason: string): never {
  throw new EosError('EOS_ROW', reason);
}

/** A value as an error shows it: enough to recognise, and not a copy of the data. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(shorten(value, 40));
  if (typeof value === 'object' && value !== null) return value.constructor.name;
  return typeof value === 'bigint' ? `${value}n` : String(value);
}

export function shorten(text: string, length = 100): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`;
}
