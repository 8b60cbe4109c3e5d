import type { ChangeBatch } from './changes.js';
import { EosError } from './errors.js';

/** Where a batch's rows came from, for errors. */
export type RowOrigin = Pick<ChangeBatch<unknown>, 'partition' | 'offsets'>;

/** The EOS_ROW of row `index` of a batch: its message and its details name partition, offset and column. */
export function rowError(origin: RowOrigin, index: number, problem: string, column?: string): EosError {
  const { partition, offsets } = origin;
  const offset = offsets?.[index];
  const place = offset === undefined ? `row ${index} of a batch` : `offset ${offset.toString()}`;
  return new EosError('EOS_ROW', `partition ${partition}, ${place}: ${problem}`, {
    details: {
      partition,
      ...(offset === undefined ? {} : { offset }),
      ...(column === undefined ? {} : { column }),
    },
  });
}

/** A value for a message: enough to recognise it, and not a copy of the data. */
export function shownValue(value: unknown): string {
  if (typeof value === 'bigint') return `${value.toString()}n`;
  if (typeof value === 'object' && value !== null) return value.constructor.name;
  const text = typeof value === 'string' ? JSON.stringify(value.slice(0, 101)) : String(value);
  return text.length <= 100 ? text : `${text.slice(0, 99)}…`;
}
