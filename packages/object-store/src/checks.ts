/** Checks of arguments that all stores share. */
import { EosError } from '@eos/core';
import { checkKey } from './keys.js';
import type { ByteRange, CompleteOptions, ListOptions, PutOptions } from './object-store.js';

/** As many as one listing of S3 gives. */
export const MAX_PAGE_SIZE = 1_000;

function wrong(option: string, message: string): EosError {
  return new EosError('EOS_CONFIG', message, { details: { option } });
}

/** @throws EOS_CONFIG for a range that is none */
export function checkRange(range: ByteRange): void {
  const numbers = 'last' in range ? [0, range.last] : [range.start, range.end];
  const [from = 0, to = 0] = numbers;
  if (Number.isSafeInteger(from) && Number.isSafeInteger(to) && from >= 0 && to > from) return;
  throw wrong('range', `a range is { start, end } with 0 <= start < end, or { last } with last > 0`);
}

/** @throws EOS_CONFIG for a key or a condition that is none */
export function checkPut(key: string, { condition }: PutOptions): void {
  checkKey(key);
  if (condition === undefined) return;
  const isMatch = 'ifMatch' in condition && typeof condition.ifMatch === 'string' && condition.ifMatch !== '';
  // A caller without types may pass anything.
  const isAbsent = 'ifAbsent' in condition && (condition.ifAbsent as unknown) === true;
  if (isMatch === isAbsent)
    throw wrong('condition', 'a condition is { ifAbsent: true } or { ifMatch: <ETag> }');
}

/** @throws EOS_CONFIG for a key or a condition that is none, or that uploads do not have */
export function checkComplete(key: string, options: CompleteOptions): void {
  checkPut(key, options);
  if (options.condition !== undefined && 'ifMatch' in options.condition)
    throw wrong('condition', 'an upload is completed with { ifAbsent: true } or without a condition');
}

/** @throws EOS_CONFIG for a page size out of range */
export function checkList({ prefix = '', startAfter, pageSize = MAX_PAGE_SIZE }: ListOptions): {
  readonly prefix: string;
  readonly startAfter: string | undefined;
  readonly pageSize: number;
} {
  if (Number.isInteger(pageSize) && pageSize >= 1 && pageSize <= MAX_PAGE_SIZE)
    return { prefix, startAfter, pageSize };
  throw wrong('pageSize', `pageSize must be an integer from 1 to ${MAX_PAGE_SIZE}, not ${pageSize}`);
}

/** The bytes of a body that a range means: from, and up to. */
export function resolveRange(
  range: ByteRange,
  bytes: number,
): { readonly start: number; readonly end: number } {
  if ('last' in range) return { start: Math.max(0, bytes - range.last), end: bytes };
  return { start: Math.min(range.start, bytes), end: Math.min(range.end, bytes) };
}

/** Guards every call of a store that was closed. */
export function closedError(description: string): EosError {
  return new EosError('EOS_CLOSED', `${description} was closed`);
}

/** A call on an upload in a state that does not allow it. */
export function uploadState(key: string, state: string): EosError {
  return new EosError('EOS_STATE', `the upload of ${key} was ${state} already`);
}
