import { EosError } from '@eos/core';

/** The error of a deletion vector that cannot be read: to leave it out would show rows that were deleted. */
export function damaged(problem: string): EosError {
  return new EosError('EOS_FORMAT', `a deletion vector cannot be read: ${problem}`);
}
