/** Rows that do not fit, by where they came from. */
import { EosError, isEosError, type ChangeBatch } from '@eos/core';

type Origin = Pick<ChangeBatch<unknown>, 'partition' | 'offsets'>;

/**
 * An error of a writer who was given some of the rows of a batch.
 * @param indexes of those rows in the batch; absent: it was given all
 */
export function withPlace(error: unknown, batch: Origin, indexes?: ArrayLike<number>): unknown {
  if (!isEosError(error, 'EOS_ROW')) return error;
  const { row } = error.details;
  if (typeof row !== 'number') return error;
  return rowError(error.message, indexes?.[row] ?? row, batch, error.details, error);
}

/** The error of the row at `index` of a batch. */
export function rowError(
  message: string,
  index: number,
  { partition, offsets }: Origin,
  details: Readonly<Record<string, unknown>>,
  cause: unknown,
): EosError {
  const offset = offsets?.[index];
  const where = offset === undefined ? `row ${index} of a batch` : `offset ${offset}`;
  return new EosError('EOS_ROW', `${where} of partition ${partition}: ${message}`, {
    cause,
    details: { ...details, row: index, partition, ...(offset === undefined ? {} : { offset }) },
  });
}
