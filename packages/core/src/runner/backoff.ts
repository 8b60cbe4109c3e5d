import type { Environment } from './environment.js';

/** How failures that may pass are tried again. */
export interface RetryOptions {
  /** Failures in a row, without a commit between them, after which the run gives up. Default 20; Infinity never does. */
  readonly attempts: number;
  /** Longest wait before the second try, in milliseconds; doubled each time. Default 100. */
  readonly initialMs: number;
  /** Longest wait at all, in milliseconds. Default 10,000. */
  readonly maxMs: number;
}

export const DEFAULT_RETRY: RetryOptions = { attempts: 20, initialMs: 100, maxMs: 10_000 };

/** Milliseconds to wait before try `attempt` + 1: exponential, capped, and jittered over its upper half so that copies spread. */
export function backoff(attempt: number, options: RetryOptions, environment: Environment): number {
  const ceiling = Math.min(options.maxMs, options.initialMs * 2 ** (attempt - 1));
  return Math.round(ceiling * (0.5 + environment.random() / 2));
}
