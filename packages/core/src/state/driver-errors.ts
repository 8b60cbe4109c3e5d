/** What anything thrown by a driver means. Drivers should throw EosErrors; what libraries throw gets through all the same. */
import { EosError, isEosError, messageOf, type Outcome } from '../errors.js';

/**
 * Awaits a call to a driver.
 * @param outcome what an error that does not say says: `unknown` where the call may have taken effect without its answer
 */
export async function driverCall<T>(call: () => Promise<T>, outcome: Outcome = 'aborted'): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw asEosError(error, outcome);
  }
}

/** An EosError stays as it is, and says `aborted` unless it was told otherwise. */
export function asEosError(error: unknown, outcome: Outcome = 'aborted'): EosError {
  if (isEosError(error)) return error;
  if (isProgrammingError(error)) {
    const message = `the sink failed by a mistake in its code: ${messageOf(error)}`;
    return new EosError('EOS_CONFORMANCE', message, { cause: error, outcome });
  }
  const code = outcome === 'unknown' ? 'EOS_UNKNOWN_OUTCOME' : 'EOS_UNAVAILABLE';
  return new EosError(code, messageOf(error), { cause: error, retryable: true, outcome });
}

/** A mistake in code is there again at the next try. (`fetch` reports a lost connection as a TypeError, with its cause.) */
function isProgrammingError(error: unknown): boolean {
  if (error instanceof ReferenceError || error instanceof SyntaxError || error instanceof RangeError)
    return true;
  return error instanceof TypeError && error.cause === undefined;
}
