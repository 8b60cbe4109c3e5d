/** Errors for people. */
import { isEosError, messageOf } from '@eos/core';

/** The code, what is wrong, and for what no code says, where it came from. */
export function errorText(error: unknown): string {
  if (isEosError(error)) return `${error.code}: ${error.message}`;
  const stack = error instanceof Error && error.stack !== undefined ? `\n${error.stack}` : '';
  return `eos failed unexpectedly: ${messageOf(error)}${stack}`;
}
