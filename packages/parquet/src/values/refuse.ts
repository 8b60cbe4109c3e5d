import { EosError } from '@eos/core';

/** A value does not fit its column, for this reason. Whoever knows the column and the row adds them. */
export function refuse(reason: string): never {
  throw new EosError('EOS_ROW', reason);
}

/** A value as an error shows it: enough to recognise it, and not a copy of the data. */
export function shown(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
    case 'bigint':
      return `${value}n`;
    case 'object':
      return value === null ? 'null' : value.constructor.name;
    default:
      return String(value);
  }
}
