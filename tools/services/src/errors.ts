/** Why a service could not be used; codes are stable, messages are not. */
export type ServiceErrorCode =
  /** Something that must be installed or reachable is missing: a test may skip. */
  | 'EOS_SERVICE_UNAVAILABLE'
  /** The service was started, and failed or did not become ready in time. */
  | 'EOS_SERVICE_FAILED'
  /** The service, or this platform, cannot do what was asked. */
  | 'EOS_SERVICE_UNSUPPORTED';

/** The one error that this package throws on purpose. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';

  constructor(
    readonly code: ServiceErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * Whether `error` is one of the operating system's, with one of these codes (`ENOENT`, …). Not by `instanceof`: a test
 * runner gives each test file an `Error` of its own, which is not that of Node's modules.
 */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return isRecord(error) && typeof error.code === 'string' && codes.includes(error.code);
}

/** Narrows a value of unknown shape, such as parsed JSON, to something whose properties can be looked at. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
