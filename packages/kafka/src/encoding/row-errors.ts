import { EosError, type ChangeBatch } from '@eos/core';

/** Where a batch's rows came from, for errors. */
export type RowOrigin = Pick<ChangeBatch<unknown>, 'partition' | 'offsets'>;

/** The error of a row that cannot be written as a record. */
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

/** A value for a message, cut to 100 characters. */
export function shown(value: unknown): string {
  if (typeof value === 'bigint') return `${value.toString()}n`;
  const text = typeof value === 'string' ? JSON.stringify(value.slice(0, 101)) : String(value);
  return text.length <= 100 ? text : `${text.slice(0, 99)}…`;
}
