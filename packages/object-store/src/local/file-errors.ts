import { EosError, isEosError, messageOf } from '@eos/core';

/** The system's code of an error, such as `ENOENT`. */
export function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}

/** Undefined where the file, or its folder, is not there. */
export async function ifThere<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined;
    throw error;
  }
}

/** Runs a call; what the file system throws had no effect. */
export async function orUnavailable<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw isEosError(error) ? error : eosErrorOf(error);
  }
}

/** Runs what makes a visible change durable: where it fails, nobody knows what is left after the loss of power. */
export async function orUnknown(call: () => Promise<void>): Promise<void> {
  try {
    await call();
  } catch (cause) {
    throw new EosError(
      'EOS_UNKNOWN_OUTCOME',
      `the write is visible, and may not outlive a loss of power: ${messageOf(cause)}`,
      { retryable: true, outcome: 'unknown', cause },
    );
  }
}

function eosErrorOf(cause: unknown): EosError {
  const code = codeOf(cause);
  const message = messageOf(cause);
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new EosError('EOS_PERMISSION', message, { cause });
  if (code === 'ENAMETOOLONG')
    return new EosError('EOS_CONFIG', `a segment of the key is too long for a file name: ${message}`, {
      cause,
      details: { option: 'key' },
    });
  return new EosError('EOS_UNAVAILABLE', message, { retryable: true, cause });
}
