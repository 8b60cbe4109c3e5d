/** What the service's answers mean, and what it means when there is none. */
import { EosError, isEosError, messageOf } from '@eos/core';

/** The HTTP status of a failure; undefined where no answer came. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined;
  const metadata: unknown = error.$metadata;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}

/** The service's code of a failure, such as `NoSuchKey`. */
export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

/**
 * Whether a request may have taken effect although it failed: no answer, or one of a server that failed. `SlowDown` and
 * `ServiceUnavailable` turn a request away; an error document behind a status of 200 counts as 500, as the client has it.
 */
function isLost(error: unknown): boolean {
  const status = statusOf(error);
  if (status === undefined) return true;
  return status >= 500 && !['SlowDown', 'ServiceUnavailable'].includes(nameOf(error));
}

/** What became of the attempts of one request. */
export interface Attempts {
  /** Whether one may have taken effect although it failed. */
  lost: boolean;
}

/** A middleware that looks at every attempt, also those that the client repeats by itself. For the step `deserialize`. */
export function watching(attempts: Attempts) {
  return <Given, Result>(next: (given: Given) => Promise<Result>) =>
    async (given: Given): Promise<Result> => {
      try {
        return await next(given);
      } catch (error) {
        attempts.lost ||= isLost(error);
        throw error;
      }
    };
}

/** Outermost of its step: it sees what the client makes of an answer. */
export const WATCHING = { step: 'deserialize', priority: 'high', name: 'eosWatching' } as const;

/** A failed write, for the caller of the port. */
export function writeError(cause: unknown, { lost }: Attempts): EosError {
  if (!lost || isEosError(cause)) return readError(cause);
  return unknownOutcome(`the answer was lost: ${messageOf(cause)}`, cause);
}

export function unknownOutcome(message: string, cause?: unknown): EosError {
  return new EosError('EOS_UNKNOWN_OUTCOME', message, { retryable: true, outcome: 'unknown', cause });
}

/** A failure that changed nothing, for the caller of the port. */
export function readError(cause: unknown): EosError {
  if (isEosError(cause)) return cause;
  const [status, name] = [statusOf(cause), nameOf(cause)];
  const message = `${name === '' ? '' : `${name}: `}${messageOf(cause)}`;
  if (name === 'NoSuchBucket')
    return new EosError('EOS_CONFIG', message, { cause, details: { option: 'bucket' } });
  if (status === 401 || status === 403 || name === 'CredentialsProviderError')
    return new EosError('EOS_PERMISSION', message, { cause });
  const isPassing = status === undefined || status >= 500 || [408, 409, 425, 429].includes(status);
  return new EosError('EOS_UNAVAILABLE', message, { retryable: isPassing, cause });
}

/** Undefined where the service says that there is no such object. */
export async function ifFound<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (statusOf(error) === 404 && nameOf(error) !== 'NoSuchBucket') return undefined;
    throw readError(error);
  }
}

/** Some stores quote ETags here and not there. */
export function plainEtag(etag: string | undefined): string {
  return (etag ?? '').replaceAll('"', '');
}
