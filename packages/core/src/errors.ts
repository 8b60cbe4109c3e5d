/**
 * One error class for everything that Eos reports. Codes are stable across minor and patch versions, messages are not:
 * program against the code.
 */

/** What became of the transaction at hand: `unknown` until a `recover` has settled it (law 3). */
export type Outcome = 'committed' | 'aborted' | 'unknown';

/** Every code with what it means and what to do. The README's table is made of this record. */
export const ERROR_CODES = {
  EOS_ABORTED: 'The caller asked to stop. Nothing of the open transaction is visible; run again to go on.',
  EOS_CHANGELOG_MODE:
    'The sink cannot hold this kind of changes. The message names the mode or option that can.',
  EOS_CLOSED: 'The sink, session or source was closed before this call.',
  EOS_CONFIG: 'An option is missing, of the wrong type or out of range. The message names it.',
  EOS_CONFORMANCE: 'A sink broke its contract towards Eos. Run the conformance suite against it.',
  EOS_FENCED:
    'Another session claimed the partition. This process must stop; only one writer per partition can go on.',
  EOS_FORMAT: 'The destination was written by a newer version of Eos. Upgrade this process.',
  EOS_GUARANTEE: 'The pipeline cannot promise what was asked for. The message says why and names the fix.',
  EOS_PERMISSION: 'The destination refused for lack of a grant. The message names what is missing.',
  EOS_POSITION_EXISTS:
    'A position is stored already, and another one: adopt starts only what has never committed.',
  EOS_POSITION_REGRESSED:
    'The destination went back behind a commit it had acknowledged (restored backup, failover). Eos seeks back and goes on.',
  EOS_RANGE:
    'The range of a commit does not fit the transaction: unknown partition, missing partition or offset going back.',
  EOS_ROW:
    'A row does not fit the schema or was rejected by the destination. The message names partition, offset and column.',
  EOS_SCHEMA: 'The destination object does not fit the rows: missing column, wrong type, missing key.',
  EOS_SESSION_DEAD: 'The session lost its claim or its outcome is unknown. Call recover for a new one.',
  EOS_SOURCE_CHANGED:
    'The source is not the one the stored position counts in (replaced, truncated). Restore it, or reset the position.',
  EOS_SOURCE_FORMAT:
    'The source holds something that cannot be read as the declared format. The message names the offset.',
  EOS_SOURCE_ORDER: 'The source handed out offsets that do not ascend.',
  EOS_SOURCE_UNAVAILABLE: 'The source could not be read. The cause tells more.',
  EOS_STATE: 'A call that the state of the transaction does not allow, such as a write after commit.',
  EOS_STORE_UNSAFE: 'The store ignores conditional writes; exactly once is impossible on it.',
  EOS_TARGET_CHANGED:
    'The destination object is not the one the stored position belongs to (dropped and made again).',
  EOS_TRANSACTION_OPEN: 'Another transaction of this session is still open.',
  EOS_TRANSFORM: 'The transform threw or returned something that is no batch of rows.',
  EOS_UNAVAILABLE: 'The destination could not be reached or gave up. Eos tries again.',
  EOS_UNKNOWN_OUTCOME: 'The answer of a commit was lost. The outcome is settled by recover.',
} as const;

export type EosErrorCode = keyof typeof ERROR_CODES;

export interface EosErrorOptions {
  /** Whether the same work may succeed when it is tried again after `recover`. Default false. */
  readonly retryable?: boolean;
  /** What became of the transaction. Default `aborted`: nothing of it is or becomes visible. */
  readonly outcome?: Outcome;
  /** With `atomic: 'partition'`: the outcome of each partition, where they differ. */
  readonly outcomes?: ReadonlyMap<string, Outcome>;
  readonly cause?: unknown;
  /** Facts for programs: partition, offset, column, expected, found. Never a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
}

const BRAND = Symbol.for('@eos/core.EosError');

/** The error of every package of Eos. Recognise it by {@link isEosError}: that works across copies of the package. */
export class EosError extends Error {
  override readonly name = 'EosError';
  readonly code: EosErrorCode;
  readonly retryable: boolean;
  readonly outcome: Outcome;
  readonly outcomes: ReadonlyMap<string, Outcome> | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: EosErrorCode, message: string, options: EosErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.outcome = options.outcome ?? 'aborted';
    this.outcomes = options.outcomes;
    this.details = options.details ?? {};
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/** True for an {@link EosError} of any copy of this package; with `code`, only for that code. */
export function isEosError(error: unknown, code?: EosErrorCode): error is EosError {
  if (typeof error !== 'object' || error === null || !(BRAND in error)) return false;
  return code === undefined || ('code' in error && error.code === code);
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
