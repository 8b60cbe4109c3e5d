import { EosError, isEosError } from '@eos/core';
import { eosError } from '../client/eos-error.js';

/** What a failure of the client means to a reader. */
export function sourceFailure(failure: unknown): EosError {
  if (isEosError(failure)) return failure;
  const error = eosError(failure);
  switch (error.code) {
    case 'EOS_UNAVAILABLE':
    case 'EOS_UNKNOWN_OUTCOME':
      return renamed('EOS_SOURCE_UNAVAILABLE', error, true);
    // Of a sink's topic it says that the destination does not fit.
    case 'EOS_SCHEMA':
      return renamed('EOS_SOURCE_UNAVAILABLE', error, false);
    default:
      return error;
  }
}

function renamed(code: 'EOS_SOURCE_UNAVAILABLE', error: EosError, retryable: boolean): EosError {
  return new EosError(code, error.message, { retryable, details: error.details, cause: error.cause });
}
