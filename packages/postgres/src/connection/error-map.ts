/** What the server's and the socket's errors mean to a caller of Eos. */
import {
  EosError,
  fencedError,
  isEosError,
  messageOf,
  regressedError,
  type EosErrorCode,
  type Outcome,
} from '@eos/core';

import { shorten } from '../copy/refuse.js';

/** SQLSTATEs that the functions in schema `eos` raise. */
export const FENCED = 'EOS01';
export const REGRESSED = 'EOS02';
export const REPLACED = 'EOS03';

const LAWS: ReadonlySet<string> = new Set([FENCED, REGRESSED, REPLACED]);

/** The parts of an error answer that are used here. */
export interface ServerError extends Error {
  /** SQLSTATE, five characters. */
  readonly code: string;
  /** ERROR leaves the connection usable; FATAL and PANIC end it. */
  readonly severity: string;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
  /** Where it happened, such as `COPY flights, line 12, column delay`. */
  readonly where?: string | undefined;
  readonly column?: string | undefined;
  readonly constraint?: string | undefined;
  readonly table?: string | undefined;
  /** The server's function that reported it. */
  readonly routine?: string | undefined;
}

/** True for an answer of the server, of any copy of `pg`; false for what the socket reports. */
export function isServerError(error: unknown): error is ServerError {
  if (!(error instanceof Error) || !('code' in error) || !('severity' in error)) return false;
  return typeof error.code === 'string' && error.code.length === 5 && typeof error.severity === 'string';
}

interface Meaning {
  readonly code: EosErrorCode;
  readonly retryable: boolean;
}

const RETRY: Meaning = { code: 'EOS_UNAVAILABLE', retryable: true };
const STOP: Meaning = { code: 'EOS_UNAVAILABLE', retryable: false };
const ROW: Meaning = { code: 'EOS_ROW', retryable: false };
const SCHEMA: Meaning = { code: 'EOS_SCHEMA', retryable: false };
const PERMISSION: Meaning = { code: 'EOS_PERMISSION', retryable: false };

/** By SQLSTATE, or by its class of two characters. https://www.postgresql.org/docs/current/errcodes-appendix.html */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  '08': RETRY, // connection exception
  '0A': SCHEMA, // not supported, as COPY into a view
  '22': ROW, // data exception
  '23': ROW, // integrity constraint violation
  '25006': RETRY, // read-only transaction: a standby answers, as in the middle of a failover
  '25P03': RETRY, // idle in transaction for too long
  '25P04': RETRY, // transaction for too long
  '28': PERMISSION, // authorization: wrong password, no such role
  '3D000': SCHEMA, // no such database
  '40': RETRY, // serialization failure, deadlock
  '42': SCHEMA, // syntax or access rule: no such table or column, wrong type
  '42501': PERMISSION,
  '44': ROW, // WITH CHECK OPTION violation
  '54': ROW, // a value beyond what an index entry, a JSON document or a stack holds
  '54011': SCHEMA, // too many columns
  '54023': SCHEMA, // too many arguments
  '53': RETRY, // out of disk, memory or connections
  '55P03': RETRY, // lock not available
  '57': RETRY, // operator intervention: shutdown, crash, cancelled
  '58': RETRY, // system error
  P0001: ROW, // raised by a trigger
};

/** Turns what a query threw into an EosError; one that is one already stays. */
export function mapError(error: unknown, outcome: Outcome = 'aborted'): EosError {
  if (isEosError(error)) return error;
  if (!isServerError(error)) {
    return new EosError('EOS_UNAVAILABLE', `the connection to the server failed: ${socketMessage(error)}`, {
      retryable: true,
      outcome,
      cause: error,
    });
  }
  if (LAWS.has(error.code)) return lawError(error);
  const { code, retryable } = meaningOf(error);
  return new EosError(code, describe(error), {
    retryable,
    outcome,
    cause: error,
    details: serverDetails(error),
  });
}

/** Where a name stands for several addresses, and none answers, the error holds one for each and says nothing itself. */
export function socketMessage(error: unknown): string {
  const errors: unknown =
    typeof error === 'object' && error !== null && 'errors' in error ? error.errors : undefined;
  return Array.isArray(errors) ? [...new Set(errors.map(messageOf))].join('; ') : messageOf(error);
}

/** What reads a text, such as that of a jsonpath, may call it a wrong syntax or an unknown name: in a field of a COPY, of a value. */
const IN_A_FIELD = /^COPY [^:]*, line \d+, column /m;

function meaningOf(error: ServerError): Meaning {
  if (isRowSecurity(error)) return ROW;
  const meaning = MEANINGS[error.code] ?? MEANINGS[error.code.slice(0, 2)];
  if (meaning === SCHEMA && IN_A_FIELD.test(error.where ?? '')) return ROW;
  return meaning ?? (SERVER_CLASSES.test(error.code) ? STOP : ROW);
}

/** A row that a policy of the table refuses has the code of a missing grant. The name of the function comes in no language. */
function isRowSecurity({ code, routine }: ServerError): boolean {
  return code === '42501' && routine === 'ExecWithCheckOptions';
}

/** Every class that the server uses itself: a code of any other one is a trigger's or a function's own. */
const SERVER_CLASSES = /^(?:0[0-9A-Z]|10|2[0-9A-F]|3[0-9A-F]|4[0-4]|5[3-8]|72|F0|HV|P0|XX)/;

/** A disk that is full ends the server where it cannot write its log. Where that word comes in another language, nothing is decided. */
function isPanic({ code, severity }: ServerError): boolean {
  return code.startsWith('53') && severity !== 'ERROR';
}

/** Classes with errors that end the session or the server. By code: the severity comes in the server's language. */
const UNDECIDED = /^(?:08|57|58|XX)/;

/**
 * An error of the round trip that ends with COMMIT. What the server raised by itself it also rolled back; an end of the
 * connection, asked for or not, says nothing about what came before it (law 3).
 */
export function mapCommitError(error: unknown): EosError {
  // The server ends a session that was idle for too long before it reads the next request.
  const isDecided = isServerError(error) && !UNDECIDED.test(error.code) && !isPanic(error);
  if (isDecided) return mapError(error);
  return new EosError('EOS_UNKNOWN_OUTCOME', `the answer of the commit was lost: ${socketMessage(error)}`, {
    retryable: true,
    outcome: 'unknown',
    cause: error,
  });
}

function describe(error: ServerError): string {
  const detail = error.detail === undefined ? '' : `: ${shorten(error.detail)}`;
  const hint = error.hint === undefined ? '' : ` (${shorten(error.hint)})`;
  return `${error.message}${detail}${hint}`;
}

/** Facts for programs. */
export function serverDetails({ code, constraint, column, table }: ServerError): Record<string, unknown> {
  return {
    sqlState: code,
    ...(table === undefined ? {} : { table }),
    ...(column === undefined ? {} : { column }),
    ...(constraint === undefined ? {} : { constraint }),
  };
}

/** The functions in schema `eos` say which partition or table it was in the error's detail, as JSON. */
function lawError(error: ServerError): EosError {
  const detail: unknown = JSON.parse(error.detail ?? '{}');
  const fields = new Map<string, unknown>(
    typeof detail === 'object' && detail !== null ? Object.entries(detail) : [],
  );
  if (error.code === REPLACED) return replacedError(String(fields.get('table')), error);
  const partition = String(fields.get('partition'));
  if (error.code === FENCED) return fencedError(partition, error);
  const epoch = (name: string) => {
    const value = fields.get(name);
    return typeof value === 'string' ? BigInt(value) : undefined;
  };
  return regressedError(partition, epoch('expected') ?? 0n, epoch('found'), error);
}

function replacedError(table: string, cause: Error): EosError {
  const message =
    `table ${table} is another one than the session has claimed: it was dropped and made again, or renamed with another put in its ` +
    `place. Restore it, or start over under another pipeline id or sink name`;
  return new EosError('EOS_TARGET_CHANGED', message, { cause, details: { table } });
}
