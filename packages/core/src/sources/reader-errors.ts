/** What every reader answers to a call that it cannot serve. */
import { EosError } from '../errors.js';
import type { ReadLimit } from '../source.js';

export function abortedError(): EosError {
  return new EosError('EOS_ABORTED', 'reading was stopped');
}

export function closedError(): EosError {
  return new EosError('EOS_CLOSED', 'the reader was closed');
}

export function unknownPartition(description: string, partition: string): EosError {
  const message = `${description} has no partition ${JSON.stringify(partition)}`;
  return new EosError('EOS_CONFIG', message, { details: { option: 'positions', partition } });
}

/** @throws EOS_CONFIG for a limit that no batch could keep */
export function rowLimit({ rows }: ReadLimit): number {
  if (rows >= 1) return rows;
  throw new EosError('EOS_CONFIG', `a batch holds at least one row, not ${rows}`);
}
